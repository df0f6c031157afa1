// SPDX-License-Identifier: Apache-2.0

/// How large a file system is, by its own account at the beginning of its device.
///
/// A mounted xfs writes a new size down only after a while.
///
/// - Source: ext4: Documentation/filesystems/ext4/super.rst of Linux (little-endian, at byte 1024); xfs: xfs_dsb in
///   fs/xfs/libxfs/xfs_format.h (big-endian, at byte 0).
struct Superblock {
    /// In bytes.
    let size: Int64

    /// Reads it from a device's first bytes; `nil` when there is none of a known kind.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 2048, let size = Self.xfs(bytes) ?? Self.ext(bytes) else { return nil }
        self.size = size
    }

    private static func ext(_ bytes: [UInt8]) -> Int64? {
        func field(_ offset: Int, _ width: Int) -> UInt64 {
            number(bytes[(1024 + offset)..<(1024 + offset + width)].reversed())
        }
        guard field(0x38, 2) == 0xEF53, field(0x18, 4) <= 6 else { return nil }
        // The upper half counts only with the feature 64bit.
        let upper = field(0x60, 4) & 0x80 == 0 ? 0 : field(0x150, 4)
        return product(upper << 32 | field(0x4, 4), 1024 << field(0x18, 4))
    }

    private static func xfs(_ bytes: [UInt8]) -> Int64? {
        guard bytes.starts(with: Array("XFSB".utf8)) else { return nil }
        return product(number(bytes[8..<16]), number(bytes[4..<8]))
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// A damaged superblock may say anything.
    private static func product(_ blocks: UInt64, _ blockSize: UInt64) -> Int64? {
        let (size, overflow) = blocks.multipliedReportingOverflow(by: blockSize)
        return overflow ? nil : Int64(exactly: size)
    }
}
