// SPDX-License-Identifier: Apache-2.0
import SystemPackage

extension FileStore {
    /// Makes the store behind a URL; nothing is read yet.
    ///
    /// - Shape: `file:///dir`, an absolute path, percent-encoded where needed.
    /// - Throws: ``StoreError/badURL(_:reason:)`` for everything else.
    public init(url: String) throws(StoreError) {
        guard url.hasPrefix("file://") else {
            throw .badURL(url, reason: "is no directory; write file:///absolute/directory")
        }
        let rest = url.dropFirst("file://".count)
        guard rest.hasPrefix("/") else {
            throw .badURL(url, reason: "names another host or a relative path; write file:///absolute/directory")
        }
        guard !rest.contains(where: { "?#".contains($0) }), let path = percentDecoded(rest),
            !path.contains("\0")
        else { throw .badURL(url, reason: "has a query, a fragment or a bad percent escape") }
        let directory = FilePath(path)
        guard directory.components.allSatisfy({ $0.kind == FilePath.Component.Kind.regular }) else {
            throw .badURL(url, reason: "has `.` or `..` in its path")
        }
        self.init(directory: directory)
    }
}

private func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let digits = String(rest.prefix(2)), digits.count == 2, digits.allSatisfy(\.isHexDigit),
            let value = UInt8(digits, radix: 16)
        else {
            return nil
        }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
}
