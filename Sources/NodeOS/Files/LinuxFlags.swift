// SPDX-License-Identifier: Apache-2.0

/// Flags that the C library declares only as GNU extensions, which Swift does not see; the same on all architectures.
enum LinuxFlags {
    /// `O_PATH`, open(2): a descriptor that only names a place.
    static let pathOnly: Int32 = 0o10_000_000
    /// `AT_EMPTY_PATH`, fchownat(2): the descriptor itself is meant.
    static let emptyPath: Int32 = 0x1000
}
