// SPDX-License-Identifier: Apache-2.0
import Crypto
import Glibc
import SystemPackage

/// Reads up to a number of bytes; empty at the end of the file.
func readPiece(_ descriptor: Int32, upTo count: Int, _ path: FilePath) throws(Failure) -> [UInt8] {
    var number: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        filled = 0
        while filled < count {
            let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
            if got > 0 { filled += got }
            if got == 0 { return }
            if got < 0, errno != EINTR {
                number = errno
                return
            }
        }
    }
    if number != 0 { throw .system(number, "cannot read", path) }
    return bytes
}

/// Hands a file over in pieces of at most 256 KiB, in one buffer.
func forEachPiece(
    of descriptor: Int32,
    _ path: FilePath,
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
) throws(Failure) {
    let size = 256 * 1024
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let got = Glibc.read(descriptor, buffer.baseAddress, size)
        if got == 0 { return }
        if got < 0 {
            if errno == EINTR { continue }
            throw .system(errno, "cannot read", path)
        }
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
    }
}

/// Writes all bytes, however many calls that takes.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: FilePath) throws(Failure) {
    var done = 0
    while done < bytes.count {
        let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if count >= 0 { done += count } else if errno != EINTR { throw .system(errno, "cannot write", path) }
    }
}

/// The names in an open directory, without `.` and `..`, in the file system's order.
func names(in descriptor: Int32, _ path: FilePath) throws(Failure) -> [String] {
    // A descriptor of its own, with its own position and rights to read.
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if copy < 0 { throw .system(errno, "cannot list", path) }
    guard let stream = fdopendir(copy) else {
        let number = errno
        close(copy)
        throw .system(number, "cannot list", path)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
        errno = 0
        guard let entry = readdir(stream) else {
            if errno != 0 { throw .system(errno, "cannot list", path) }
            return names
        }
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
}

extension Digest {
    /// Lower-case hexadecimal digits.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
