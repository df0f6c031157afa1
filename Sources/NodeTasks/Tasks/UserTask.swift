// SPDX-License-Identifier: Apache-2.0
public import NodeOS
internal import SystemPackage

/// A user account.
///
/// What is not declared is left as it is, or to the system for a new one.
///
/// - Shape: `user` {`name`, `uid`, `home`, `shell`, `groups`, `ensure`}; `groups` are all supplementary groups. Absent,
///   the home directory stays.
public struct UserTask: DeclaredTask {
    /// What is observed.
    public typealias Found = UserEntry

    /// Effects on an account.
    public enum Step: PlannedStep {
        case set(UserEntry, [Change])
        case remove(UserEntry)

        /// The line of a plan.
        public var change: Change { changes.first ?? Change("user") }
        /// All lines of a plan.
        public var changes: [Change] {
            switch self {
            case .set(_, let changes): changes
            case .remove(let user): [Change("user", from: .text(user.uid.map { "\($0)" } ?? user.name))]
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "user"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// The account's name.
    public let name: String
    let uid: UInt32?
    let home: String?
    let shell: String?
    /// Sorted; `nil` when not declared.
    let groups: [String]?
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares an account.
    public init(
        _ name: String,
        uid: UInt32? = nil,
        home: String? = nil,
        shell: String? = nil,
        groups: [String]? = nil,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(name)
        self.after = after
        self.name = name
        self.uid = uid
        self.home = home
        self.shell = shell
        self.groups = groups.map { Set($0).sorted() }
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "name", "uid", "home", "shell", "groups")
        let name = try fields.name("name")
        let groups = fields.has("groups") ? try fields.words("groups") : nil
        if let bad = groups?.first(where: { !Fields.isName($0, allowing: "._-") }) {
            throw fields.refuse("groups", "\"\(bad)\" is no group's name")
        }
        self.init(
            name,
            uid: try fields.accountNumber("uid"),
            home: fields.has("home") ? try fields.path("home").string : nil,
            shell: fields.has("shell") ? try fields.path("shell").string : nil,
            groups: groups,
            ensure: try fields.ensure()
        )
        guard UInt32(name) == nil else { throw fields.refuse("name", "is a number") }
        guard ensure == .present || name != "root" else { throw fields.refuse("name", "root cannot be absent") }
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["name": name] }
    /// What it makes and needs.
    public var claims: Claims {
        Claims(owns: [.name("user:\(name)")], uses: (groups ?? []).map { .name("group:\($0)") })
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> UserEntry? { try await node.user(named: name) }

    /// Decides, from what was found.
    public func plan(from found: UserEntry?) throws -> [Step] {
        guard ensure == .present else { return found.map { [.remove($0)] } ?? [] }
        let wanted = UserEntry(
            name: name,
            uid: uid,
            home: home,
            shell: shell,
            groups: groups ?? found?.groups.sorted() ?? []
        )
        let changes = changes(from: found)
        return changes.isEmpty ? [] : [.set(wanted, changes)]
    }

    private func changes(from found: UserEntry?) -> [Change] {
        var changes: [Change] = []
        func compare(_ field: String, _ old: String?, _ new: String?) {
            let old = old?.isEmpty == true ? nil : old
            guard let new, new != old ?? "" else { return }
            changes.append(Change(field, from: old.map { .text($0) }, to: .text(new.isEmpty ? "none" : new)))
        }
        if found == nil { changes.append(Change("user", to: .text(name))) }
        compare("uid", found?.uid.map { "\($0)" }, uid.map { "\($0)" })
        compare("home", found?.home, home)
        compare("shell", found?.shell, shell)
        let old = found?.groups.sorted().joined(separator: ",")
        compare("groups", old, groups?.joined(separator: ","))
        return changes
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .set(let user, _): try await node.setUser(user, groups: user.groups)
        case .remove: try await node.removeUser(name)
        }
    }
}
