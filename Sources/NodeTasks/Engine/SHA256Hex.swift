// SPDX-License-Identifier: Apache-2.0
internal import Crypto

/// Digests as this project writes them.
package enum SHA256Hex {
    /// The SHA-256 of bytes as 64 lower-case hex digits.
    package static func of(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        var text = ""
        for byte in SHA256.hash(data: bytes) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 0xF)])
        }
        return text
    }

    /// Whether a text is a digest.
    package static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
