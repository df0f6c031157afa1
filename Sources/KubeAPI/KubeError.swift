// SPDX-License-Identifier: Apache-2.0

/// What the API server answered instead of what was asked for.
///
/// - Shape: follows `Status` of `k8s.io/apimachinery/pkg/apis/meta/v1`.
public struct KubeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status; 0 when the request was not even sent.
    public var code: Int
    /// The machine-readable reason, such as `NotFound`, `Conflict`, `Forbidden`; our own are `InvalidObject`,
    /// `NotServed` and `BadAnswer`.
    public var reason: String
    /// What was attempted and what the server said about it.
    public var message: String
    /// How long the server asks to wait.
    public var retryAfter: Duration?

    /// Makes an error from its parts.
    public init(code: Int, reason: String, message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.retryAfter = retryAfter
    }

    /// Whether the same request may succeed later: the server is overloaded or starting, an update raced, or a kind is
    /// not served yet, as before its CustomResourceDefinition is established.
    public var isTransient: Bool {
        if ["Conflict", "NotServed", "BadAnswer"].contains(reason) { return true }
        return code >= 500 || [408, 410, 425, 429].contains(code)
    }

    /// The message with the reason.
    public var description: String { "\(message) (\(code == 0 ? "" : "\(code) ")\(reason))" }
}
