// SPDX-License-Identifier: Apache-2.0
import CMalloc

/// How the heap of a program behaves that is at rest nearly always.
///
/// - Source: mallopt(3).
enum Heap {
    /// Lets what was freed go back to the system; before there are threads.
    static func keepSmall() {
        // One heap for all threads: each would keep its own highest level, and none waits long for another here.
        mallopt(M_ARENA_MAX, 1)
        // Said once, they stay: otherwise a piece of a backup that is freed raises both to its size, and the heap keeps
        // the next ones.
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        mallopt(M_TRIM_THRESHOLD, 128 << 10)
    }
}
