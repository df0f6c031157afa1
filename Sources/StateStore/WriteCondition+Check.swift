// SPDX-License-Identifier: Apache-2.0
import Crypto

extension WriteCondition {
    /// Compares with what a store holds now.
    func check(_ key: StoreKey, found: ObjectVersion?) throws(StoreError) {
        switch self {
        case .always: return
        case .absent where found == nil: return
        case .version(let expected) where expected == found: return
        case .absent, .version:
            throw .conflict(key: key.description, expected: description, found: found.map(\.text) ?? "nothing")
        }
    }

    private var description: String {
        switch self {
        case .always: "anything"
        case .absent: "nothing"
        case .version(let version): version.text
        }
    }
}

extension ObjectVersion {
    /// The version of bytes in stores that have no versions of their own: their SHA-256.
    public static func digest(of bytes: [UInt8]) -> ObjectVersion { ObjectVersion(sha256(bytes)) }
}

/// The SHA-256 of bytes as 64 hex digits.
func sha256(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).reduce(into: "") { text, byte in
        text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
