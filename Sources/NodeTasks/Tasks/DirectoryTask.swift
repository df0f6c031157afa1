// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// A directory; absent, it goes with everything in it, unless something is mounted there.
///
/// - Shape: `directory` {`path`, `mode` (`0755`), `owner`, `group`, `ensure`}.
public struct DirectoryTask: DeclaredTask {
    /// The directory as it is.
    public struct Found: Sendable, Equatable {
        var kind: FileStatus.Kind
        var attributes: FoundAttributes
        /// Whether it holds what may not go with it.
        var holdsOthers: Bool
    }

    /// Effects on a directory.
    public enum Step: PlannedStep {
        case make(Attributes)
        case setAttributes(AttributesStep)
        case remove

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .make: Change("directory", to: .text("present"))
            case .setAttributes(let step): step.change
            case .remove: Change("directory", from: .text("present"))
            }
        }
        /// All lines of a plan.
        public var changes: [Change] {
            switch self {
            case .make(let attributes): [change] + attributes.changes
            case .setAttributes(let step): step.changes
            case .remove: [change]
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "directory"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// Where it lies.
    public let path: FilePath
    let attributes: Attributes
    /// Whether it is to be there.
    public let ensure: Ensure
    /// The paths that may go with it when it is removed; `nil` for all.
    ///
    /// With anything else in it, it stays.
    var expendable: Set<FilePath>?

    /// Declares a directory.
    public init(
        _ path: FilePath,
        mode: UInt16 = 0o755,
        owner: String? = nil,
        group: String? = nil,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(path.string)
        self.after = after
        self.path = path
        self.attributes = Attributes(mode: mode, owner: owner, group: group)
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "path", "mode", "owner", "group")
        let attributes = try Attributes(fields, defaultMode: 0o755)
        self.init(
            try fields.path("path"),
            mode: attributes.mode,
            owner: attributes.owner,
            group: attributes.group,
            ensure: try fields.ensure()
        )
        guard path != "/" else { throw fields.refuse("path", "is the root directory") }
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["path": path.string] }
    /// What it makes and needs.
    public var claims: Claims {
        ensure == .present ? Claims(owns: [.path(path)], uses: attributes.uses) : Claims(clears: [path])
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        guard let status = try await node.status(of: path) else { return nil }
        var found = Found(
            kind: status.kind,
            attributes: try await FoundAttributes(status, wanted: attributes, on: node),
            holdsOthers: false
        )
        if let expendable { found.holdsOthers = try await holdsOthers(path, than: expendable, on: node) }
        return found
    }

    private func holdsOthers(
        _ directory: FilePath,
        than expendable: Set<FilePath>,
        on node: any NodeReader
    ) async throws -> Bool {
        guard try await node.status(of: directory)?.kind == .directory else { return false }
        for name in try await node.list(directory) {
            let path = directory.appending(name)
            guard expendable.contains(path) else { return true }
            if try await holdsOthers(path, than: expendable, on: node) { return true }
        }
        return false
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard let found else { return ensure == .present ? [.make(attributes)] : [] }
        guard found.kind == .directory else {
            throw conflict("not-a-directory", "\(path) is \(found.kind.noun); a directory is declared")
        }
        guard ensure == .present else { return found.holdsOthers ? [] : [.remove] }
        return AttributesStep(from: found.attributes, to: attributes).map { [.setAttributes($0)] } ?? []
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .make(let attributes):
            try await node.makeDirectory(path, attributes: attributes.resolved(for: path, on: node))
        case .setAttributes(let step): try await step.apply(to: path, on: node)
        case .remove: try await node.remove(path)
        }
    }
}
