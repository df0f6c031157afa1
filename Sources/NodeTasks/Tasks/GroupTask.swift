// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// A group of accounts.
///
/// - Shape: `group` {`name`, `gid`, `ensure`}; without a number the system chooses one.
public struct GroupTask: DeclaredTask {
    /// What is observed.
    public typealias Found = GroupEntry

    /// Effects on a group.
    public enum Step: PlannedStep {
        case set(gid: UInt32?, from: UInt32?)
        case remove(UInt32)

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .set(let gid, let from):
                Change("gid", from: from.map { .text("\($0)") }, to: .text(gid.map { "\($0)" } ?? "any"))
            case .remove(let gid): Change("gid", from: .text("\(gid)"))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "group"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// The group's name.
    public let name: String
    let gid: UInt32?
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a group.
    public init(
        _ name: String,
        gid: UInt32? = nil,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(name)
        self.after = after
        self.name = name
        self.gid = gid
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "name", "gid")
        let name = try fields.name("name")
        self.init(name, gid: try fields.accountNumber("gid"), ensure: try fields.ensure())
        guard UInt32(name) == nil else { throw fields.refuse("name", "is a number") }
        guard ensure == .present || name != "root" else { throw fields.refuse("name", "root cannot be absent") }
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["name": name] }
    /// What it makes and needs.
    public var claims: Claims { Claims(owns: [.name("group:\(name)")]) }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> GroupEntry? { try await node.group(named: name) }

    /// Decides, from what was found.
    public func plan(from found: GroupEntry?) throws -> [Step] {
        guard ensure == .present else { return found.map { [.remove($0.gid)] } ?? [] }
        guard let found else { return [.set(gid: gid, from: nil)] }
        guard let gid, gid != found.gid else { return [] }
        return [.set(gid: gid, from: found.gid)]
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .set(let gid, _): try await node.setGroup(name, gid: gid)
        case .remove: try await node.removeGroup(name)
        }
    }
}
