// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// A symbolic link.
///
/// - Shape: `symlink` {`path`, `target`, `ensure`}. The target may be relative. Anything but a link at the path is a
///   conflict, since it may hold what somebody needs.
public struct SymlinkTask: DeclaredTask {
    /// What is at the path.
    public struct Found: Sendable, Equatable {
        var kind: FileStatus.Kind
        var target: String?
    }

    /// Effects on a link.
    public enum Step: PlannedStep {
        case link(from: String?, to: String)
        case remove(String?)

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .link(let from, let to): Change("target", from: from.map { .text($0) }, to: .text(to))
            case .remove(let from): Change("target", from: .text(from ?? "unknown"))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "symlink"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// Where it lies.
    public let path: FilePath
    let target: String
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a link.
    public init(
        _ path: FilePath,
        target: String,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(path.string)
        self.after = after
        self.path = path
        self.target = target
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "path", "target")
        let ensure = try fields.ensure()
        let target = ensure == .present ? try fields.word("target") : try fields.optionalWord("target") ?? ""
        self.init(try fields.path("path"), target: target, ensure: ensure)
        guard path != "/" else { throw fields.refuse("path", "is the root directory") }
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["path": path.string] }
    /// What it makes and needs.
    public var claims: Claims {
        ensure == .present ? Claims(owns: [.path(path)]) : Claims(clears: [path])
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        guard let status = try await node.status(of: path) else { return nil }
        return Found(kind: status.kind, target: try await node.target(of: path))
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        if let found, found.kind != .symlink {
            throw conflict("not-a-symlink", "\(path) is \(found.kind.noun); a symbolic link is declared")
        }
        guard ensure == .present else { return found.map { [.remove($0.target)] } ?? [] }
        return found?.target == target ? [] : [.link(from: found?.target, to: target)]
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .link(_, let target):
            try await node.makeParent(of: path)
            try await node.link(path, to: target)
        case .remove: try await node.remove(path)
        }
    }
}
