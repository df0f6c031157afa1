// SPDX-License-Identifier: Apache-2.0
import StateStore

/// A store's URL taken apart: `scheme://authority/path?name=value&…`.
///
/// Written here because FoundationEssentials has no URLComponents and libcurl's URL API accepts more than a store may have.
struct StoreURL {
    let text: String
    let scheme: String
    let authority: String
    /// The parts of the path, decoded, none of them empty.
    let path: [String]
    let query: [String: String]

    /// - Throws: ``StoreError/badURL(_:reason:)`` for a user or password, `..`, a fragment, and bad escapes.
    init(_ text: String, options: Set<String>) throws(StoreError) {
        self.text = text
        guard let separator = text.firstRange(of: "://") else {
            throw .badURL(
                text,
                reason: "has no scheme; write file:///dir, s3://bucket/prefix, gs://bucket/prefix or https://…"
            )
        }
        scheme = String(text[..<separator.lowerBound])
        let rest = text[separator.upperBound...]
        guard !rest.contains("#") else { throw .badURL(text, reason: "has a fragment") }
        let halves = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let pieces = halves[0].split(separator: "/", omittingEmptySubsequences: false)
        let host = String(pieces.first ?? "")
        guard !host.contains("@") else {
            throw .badURL(
                Self.withoutUser(text),
                reason: "names a user or a password; give credentials by the environment or a file"
            )
        }
        guard !host.isEmpty else { throw .badURL(text, reason: "names no bucket or host") }
        authority = host
        path = try Self.path(pieces.dropFirst(), text)
        query = try Self.query(halves.count > 1 ? String(halves[1]) : "", options, text)
    }

    private static func path(_ pieces: ArraySlice<Substring>, _ text: String) throws(StoreError) -> [String] {
        var path: [String] = []
        for piece in pieces where !piece.isEmpty {
            guard let part = PercentEncoding.decode(piece), part != ".", part != "..",
                !part.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == "/" })
            else { throw .badURL(text, reason: "has `.`, `..` or a bad percent escape in its path") }
            path.append(part)
        }
        return path
    }

    private static func query(
        _ query: String,
        _ options: Set<String>,
        _ text: String
    ) throws(StoreError) -> [String: String] {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(halves[0]), options.contains(name) else {
                let known = options.sorted().joined(separator: ", ")
                throw .badURL(text, reason: "has an unknown option \"\(halves[0])\"; known: \(known)")
            }
            guard halves.count == 2, let value = PercentEncoding.decode(halves[1]), !value.isEmpty else {
                throw .badURL(text, reason: "has no value for \(name)")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .badURL(text, reason: "gives \(name) twice")
            }
        }
        return values
    }

    /// The URL in one form: options sorted, no slash at the end.
    static func canonical(scheme: String, authority: String, path: [String], query: [String: String]) -> String {
        let place = ([authority] + path.map(PercentEncoding.encode)).joined(separator: "/")
        let options = query.sorted { $0.key < $1.key }.map { "\($0.key)=\(PercentEncoding.encode($0.value))" }
        return "\(scheme)://\(place)" + (options.isEmpty ? "" : "?" + options.joined(separator: "&"))
    }

    private static func withoutUser(_ text: String) -> String {
        guard let separator = text.firstRange(of: "://"), let at = text.lastIndex(of: "@") else { return text }
        return text[..<separator.upperBound] + "…" + text[at...]
    }
}
