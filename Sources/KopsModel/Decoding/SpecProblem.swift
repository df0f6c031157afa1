// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong with a document, where it stands, and what to do about it.
public struct SpecProblem: Sendable, Hashable, CustomStringConvertible {
    /// Where it stands.
    public let path: SpecPath
    /// What is wrong, such as `is no IPv4 network`.
    public let message: String
    /// What to do, such as `write 10.0.0.0/8`; `nil` when the message says it already.
    public let remedy: String?

    /// Makes a problem from its parts.
    public init(_ path: SpecPath, _ message: String, remedy: String? = nil) {
        self.path = path
        self.message = message
        self.remedy = remedy
    }

    /// `path: message; remedy`, in one line.
    public var description: String {
        let place = path.parts.isEmpty ? "" : "\(path): "
        return place + message + (remedy.map { "; \($0)" } ?? "")
    }
}

/// A document that cannot be used, with everything that is wrong with it.
public struct SpecError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Which object, such as `Cluster demo.example.com`.
    public let subject: String
    /// At least one, in the order of the document's fields.
    public let problems: [SpecProblem]

    /// Makes an error from its parts.
    public init(subject: String, problems: [SpecProblem]) {
        self.subject = subject
        self.problems = problems
    }

    /// One line for each problem.
    public var description: String { problems.map { "\(subject): \($0)" }.joined(separator: "\n") }
}
