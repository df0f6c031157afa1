// SPDX-License-Identifier: Apache-2.0
#ifndef KOPSLITE_CSYSTEMD_H
#define KOPSLITE_CSYSTEMD_H

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-journal.h>

// Swift imports no C variadic functions; these are the only two message shapes the project sends.
static inline int csystemd_append_string(sd_bus_message *message, const char *value) {
    return sd_bus_message_append_basic(message, SD_BUS_TYPE_STRING, value);
}

static inline int csystemd_append_boolean(sd_bus_message *message, int value) {
    return sd_bus_message_append_basic(message, SD_BUS_TYPE_BOOLEAN, &value);
}

#endif
