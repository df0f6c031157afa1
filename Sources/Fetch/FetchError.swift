// SPDX-License-Identifier: Apache-2.0

/// Why no answer, or not the wanted one, came.
public struct FetchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What to do after a failure.
    public enum Class: String, Sendable {
        /// Trying again cannot help.
        case permanent
        /// Trying again may help.
        case transient
    }

    /// What to do about it.
    public var kind: Class
    /// A stable identifier in kebab case, such as `connection-refused` or `http-404`.
    public var code: String
    /// What was attempted, on what, and what went wrong; URLs without user, password and query.
    public var message: String
    /// The remedy, where it is known.
    public var hint: String?
    /// How long the server asks to be left alone (`Retry-After` in seconds, RFC 9110).
    public var retryAfter: Duration?

    /// Makes an error from its parts.
    public init(_ kind: Class, code: String, _ message: String, hint: String? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// Whether trying again may help.
    public var isTransient: Bool { kind == .transient }
    /// The message.
    public var description: String { message }

    /// The error for a status that is not 2xx: 408, 425, 429 and 5xx may pass, others stay.
    public static func status(
        _ status: Int,
        method: String,
        url: String,
        headers: [(name: String, value: String)] = []
    ) -> FetchError {
        let passes = status >= 500 || [408, 425, 429].contains(status)
        var error = FetchError(
            passes ? .transient : .permanent,
            code: "http-\(status)",
            "\(method) \(shown(url)): the server answered \(status)",
            hint: hint(for: status)
        )
        let asked = headers.last { $0.name == "retry-after" }.flatMap { UInt32($0.value) }
        error.retryAfter = asked.map { .seconds(Int64($0)) }
        return error
    }

    private static func hint(for status: Int) -> String {
        switch status {
        case 401, 403, 407: "check the credentials and what they permit"
        case 404, 410: "check the version and the file repository: nothing is there under that name"
        case 416: "remove the part that was fetched before, and fetch it again"
        case 408, 425, 429: "wait: the server asks for fewer requests"
        case 500...: "see the server's log; another source may have it"
        default: "check the address, and whether a proxy answers in the server's place"
        }
    }

    /// A URL for people and logs: a user, a password or a signature in the query stays out.
    public static func shown(_ url: String) -> String {
        var text = url[...]
        if let end = text.firstIndex(where: { "?#".contains($0) }) { text = text[..<end] }
        guard let scheme = text.firstRange(of: "://") else { return String(text) }
        let rest = text[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return String(text) }
        return String(text[..<scheme.upperBound] + rest[rest.index(after: at)...])
    }
}
