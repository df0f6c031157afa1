// SPDX-License-Identifier: Apache-2.0
internal import Fetch
public import NodeOS

/// A row of a table of faults: what is broken, and what the failure has to say of it.
///
/// The fault is injected into the real thing; a row never throws the failure that it expects.
public struct Fault<Bench: Sendable>: Sendable, CustomStringConvertible {
    /// What a failure says that it should not, or does not say.
    public struct Mismatch: Error, CustomStringConvertible {
        /// The row, what is wrong, and the failure.
        public let description: String
    }

    /// What is broken.
    public let description: String
    private let kind: Failure.Class
    private let code: String
    private let hint: String
    private let attempt: @Sendable (Bench) async throws -> Void

    /// Makes a row.
    ///
    /// - Parameters:
    ///   - description: What is broken, in words.
    ///   - kind: The class expected.
    ///   - code: The code expected.
    ///   - hint: A part of the remedy expected.
    ///   - attempt: Breaks the bench and runs into it.
    public init(
        _ description: String,
        _ kind: Failure.Class,
        _ code: String,
        _ hint: String,
        attempt: @escaping @Sendable (Bench) async throws -> Void
    ) {
        self.description = description
        self.kind = kind
        self.code = code
        self.hint = hint
        self.attempt = attempt
    }

    /// Injects the fault and judges the failure it leads to.
    ///
    /// - Throws: ``Mismatch``.
    public func check(on bench: Bench) async throws {
        let failure: Failure
        do {
            try await attempt(bench)
            throw Mismatch(description: "\(description): nothing failed")
        } catch let mismatch as Mismatch {
            throw mismatch
        } catch {
            failure = try Self.failure(error, description)
        }
        for complaint in complaints(about: failure) {
            let text = "\(failure.kind.rawValue) \(failure.code): \(failure.chain); hint: \(failure.hint ?? "none")"
            throw Mismatch(description: "\(description): \(complaint)\n\(text)")
        }
    }

    private static func failure(_ error: any Error, _ description: String) throws -> Failure {
        switch error {
        case let failure as Failure: return failure
        case let error as FetchError:
            let kind: Failure.Class = error.isTransient ? .transient : .permanent
            return Failure(kind, code: error.code, error.message, hint: error.hint)
        default: throw Mismatch(description: "\(description): not a failure but \(error)")
        }
    }

    private func complaints(about failure: Failure) -> [String] {
        var complaints: [String] = []
        if failure.kind != kind { complaints.append("\(kind.rawValue) is expected") }
        if failure.code != code { complaints.append("the code \(code) is expected") }
        if failure.hint?.contains(hint) != true { complaints.append("a hint with \"\(hint)\" is expected") }
        if failure.chain.contains("\n") { complaints.append("the text has several lines") }
        if let cause = failure.cause, failure.message.contains("\(cause)") {
            complaints.append("it says its cause twice")
        }
        return complaints
    }
}
