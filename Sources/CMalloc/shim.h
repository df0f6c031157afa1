// SPDX-License-Identifier: Apache-2.0
#ifndef KOPSLITE_CMALLOC_H
#define KOPSLITE_CMALLOC_H

// What of the C library's heap is not standard C, and so not in Swift's module of it.
#include <malloc.h>

#endif
