// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Finds out what a block device or image file holds, so that nothing is formatted over.
struct BlockProbe: Sendable {
    let files: FileTree
    let runner: any CommandRunner
    /// Where it is noted what is being formatted.
    var marks: FilePath = "/var/lib/kopslite/formatting"

    private static let mebibyte = 1 << 20

    /// Probes a device; `nil` when nothing is there.
    func status(of path: FilePath) async throws -> BlockDeviceStatus? {
        guard try files.status(of: path) != nil else { return nil }
        let device = try files.hostPath(of: path)
        let edges = try edges(of: device)
        let found = try await signature(of: device)
        var status = BlockDeviceStatus(
            signature: found["TYPE"],
            label: found["LABEL"],
            partitionTable: found["PTTYPE"],
            endsAreZero: edges.areZero,
            size: edges.size,
            filesystemSize: Superblock(edges.head)?.size,
            isReadOnly: edges.isReadOnly
        )
        status.isHalfFormatted = try !status.isBlank && status.hasNoSignature && mark(path, status).isSet()
        return status
    }

    private func mark(_ path: FilePath, _ status: BlockDeviceStatus) -> FormattingMark {
        FormattingMark(device: path, size: status.size, in: marks, files: files)
    }

    /// Makes a file system on a device that is blank at this moment, or that this left half made when it was killed.
    func makeFilesystem(_ type: String, label: String?, on path: FilePath) async throws {
        guard !type.isEmpty, type.utf8.allSatisfy({ $0.isLowercaseLetterOrDigit }) else {
            throw Failure(
                .permanent,
                code: "filesystem-unknown",
                "\(type) is no name of a file system",
                hint: "choose one that has a mkfs program, such as ext4 or xfs"
            )
        }
        guard let status = try await status(of: path) else {
            throw Failure(
                .waiting,
                code: "device-missing",
                "cannot format \(path): it is not there",
                hint: "attach the device, or correct its path"
            )
        }
        let mark = mark(path, status)
        guard status.isBlank || status.isHalfFormatted else {
            throw Failure(
                .permanent,
                code: "not-blank",
                "will not format \(path): it holds \(status.contents)",
                hint: "if that is not needed any more: wipefs --all \(path), then zero its first and last MiB"
            )
        }
        let labelOption = type == "vfat" ? "-n" : "-L"
        let words = label.map { [labelOption, $0] } ?? []
        let device = try files.hostPath(of: path).string
        try mark.set()
        try await runner.run(
            Command("mkfs.\(type)", words + [device], timeout: .seconds(900)),
            failing: "mkfs-failed",
            .permanent,
            hint: "see dmesg for errors of \(path), and whether it is large enough for \(type)"
        )
        try mark.clear()
    }

    /// Forgets that a device was being formatted: a mark that stays would allow to format what lies there later.
    func settle(_ path: FilePath) async throws {
        guard let status = try await status(of: path) else { return }
        try mark(path, status).clear()
    }

    /// blkid(8): low-level probing, which reads the device and no cache; exit code 2 means that it found nothing.
    private func signature(of device: FilePath) async throws -> [String: String] {
        let command = Command("blkid", ["--probe", "--output", "export", device.string])
        let result = try await runner.result(of: command)
        switch result.code {
        case 0: return Self.parse(result.text)
        case 2: return [:]
        // Several signatures at once: something is there, which is all that matters.
        case 8: return ["TYPE": "ambivalent"]
        default:
            throw command.failure(
                result,
                code: "probe-failed",
                .transient,
                hint: "see dmesg for errors of \(device)"
            )
        }
    }

    /// Lines of `KEY=VALUE`, blanks and quotes behind a backslash.
    static func parse(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            var value = ""
            var escaped = false
            for character in line[line.index(after: equals)...] {
                if character == "\\", !escaped {
                    escaped = true
                } else {
                    value.append(character)
                    escaped = false
                }
            }
            values[String(line[..<equals])] = value
        }
        return values
    }

    /// What is seen of a device without any program's help.
    private struct Edges {
        var head: [UInt8]
        var areZero: Bool
        var size: Int64
        var isReadOnly: Bool
    }

    private func edges(of device: FilePath) throws(Failure) -> Edges {
        let file = try FileTree(root: "/").openForReading(device)
        // Works for files and for block devices, where st_size is 0.
        let size = lseek(file.raw, 0, SEEK_END)
        if size < 0 { throw .system(errno, "cannot find the size of", device) }
        let head = try piece(of: file.raw, at: 0, device)
        let tail = head.isZero ? try piece(of: file.raw, at: max(0, Int(size) - Self.mebibyte), device) : []
        var flag: Int32 = 0
        // BLKROGET, linux/fs.h; an image file does not know it.
        let isReadOnly = ioctl(file.raw, 0x125E, &flag) == 0 && flag != 0
        return Edges(head: head, areZero: head.isZero && tail.isZero, size: Int64(size), isReadOnly: isReadOnly)
    }

    private func piece(of descriptor: Int32, at start: Int, _ device: FilePath) throws(Failure) -> [UInt8] {
        if lseek(descriptor, off_t(start), SEEK_SET) < 0 { throw .system(errno, "cannot seek in", device) }
        return try readPiece(descriptor, upTo: Self.mebibyte, device)
    }
}

extension BlockDeviceStatus {
    /// Whether nothing but bytes that are not zero keeps it from being blank.
    fileprivate var hasNoSignature: Bool { signature == nil && partitionTable == nil }

    /// What keeps it from being blank, in words.
    fileprivate var contents: String {
        if let signature { return signature + (label.map { " labelled \($0)" } ?? "") }
        return partitionTable.map { "a partition table (\($0))" } ?? "data in its first or last MiB"
    }
}

extension [UInt8] {
    /// Whether all bytes are zero: the first is, and each is like the one before it.
    fileprivate var isZero: Bool {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let first = bytes.first else { return true }
            return first == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
        }
    }
}

extension UInt8 {
    /// `a` to `z` and `0` to `9`.
    var isLowercaseLetterOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
