// SPDX-License-Identifier: Apache-2.0
import Crypto

/// The SHA-256 of bytes as 64 hex digits.
func hexSHA256(_ bytes: [UInt8]) -> String { hexDigits(SHA256.hash(data: bytes)) }

/// Bytes as lower-case hex digits.
func hexDigits(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// The SHA-256 of bytes that come in pieces.
struct RunningDigest {
    private var hash = SHA256()

    mutating func add(_ bytes: [UInt8]) { hash.update(data: bytes) }

    /// Of all that was added so far, as 64 hex digits.
    var text: String { hexDigits(hash.finalize()) }
}
