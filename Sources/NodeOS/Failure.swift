// SPDX-License-Identifier: Apache-2.0

/// Why an attempt failed, as the engine, the agents and the CLI all speak of it.
///
/// The chain is printed once, by ``chain``; a `message` never repeats its cause.
public struct Failure: Error, Sendable, CustomStringConvertible {
    /// What to do after a failure.
    public enum Class: String, Sendable, Codable {
        /// Trying again cannot help: someone has to change something.
        case permanent
        /// Trying again may help.
        case transient
        /// Something named is not there yet.
        case waiting
    }

    /// What to do about it.
    public var kind: Class
    /// A stable identifier in kebab case, such as `package-not-found`.
    public var code: String
    /// What was attempted, on what, and what went wrong.
    public var message: String
    /// The remedy, where it is known.
    public var hint: String?
    /// What caused it.
    public var cause: (any Error)?

    /// Makes a failure from its parts.
    public init(
        _ kind: Class,
        code: String,
        _ message: String,
        hint: String? = nil,
        cause: (any Error)? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }

    /// The message without its causes.
    public var description: String { message }

    /// The message and every cause behind it, joined by `: `.
    public var chain: String {
        guard let cause else { return message }
        let rest = (cause as? Failure)?.chain ?? "\(cause)"
        return "\(message): \(rest)"
    }
}
