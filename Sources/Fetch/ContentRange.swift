// SPDX-License-Identifier: Apache-2.0

/// Which bytes an answer holds, of how many (`Content-Range: bytes 5-9/10`, `bytes */10`; RFC 9110, section 14.4).
struct ContentRange: Equatable {
    /// `nil` where the server has none of the bytes asked for.
    let first: Int64?
    /// `nil` where the server does not know.
    let total: Int64?

    /// `nil` without the header, or when it makes no sense.
    init?(_ headers: [(name: String, value: String)]) {
        guard let text = headers.last(where: { $0.name == "content-range" })?.value, text.hasPrefix("bytes ") else {
            return nil
        }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        first = parts[0].split(separator: "-", omittingEmptySubsequences: false).first.flatMap { Self.number($0) }
        total = Self.number(parts[1])
        guard first != nil || parts[0] == "*", total != nil || parts[1] == "*" else { return nil }
    }

    /// A length in digits; `nil` for anything else.
    static func number(_ text: Substring) -> Int64? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int64(text) : nil
    }
}
