// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// A package of the system's package manager.
///
/// - Shape: `package` {`name`, `version`, `hold`, `ensure`}; without a version any is right. All that are ready together
///   are installed in one transaction.
/// - Holds: With `hold` nobody's upgrade changes the package, save a `version` declared here; `false` lets go of it, and
///   without the word a hold stays as the administrator has it.
public struct PackageTask: DeclaredTask {
    /// What is observed.
    public typealias Found = PackageStatus

    /// Effects on packages; merged, one step serves several tasks.
    public enum Step: PlannedStep {
        case install([PackageRequest], [Change])
        case remove([String], [Change])

        /// The line of a plan.
        public var change: Change { changes.first ?? Change("version") }
        /// All lines of a plan.
        public var changes: [Change] {
            switch self {
            case .install(_, let changes), .remove(_, let changes): changes
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "package"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// Its name.
    public let name: String
    let version: String?
    let hold: Bool?
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a package.
    public init(
        _ name: String,
        version: String? = nil,
        hold: Bool? = nil,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(name)
        self.after = after
        self.name = name
        // dpkg and rpm both leave an epoch of 0 out.
        self.version = version.map { $0.hasPrefix("0:") ? String($0.dropFirst(2)) : $0 }
        self.hold = hold
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "name", "version", "hold")
        let ensure = try fields.ensure()
        let hold = try fields.optional("hold", Bool.self)
        if ensure == .absent, hold == true { throw fields.refuse("hold", "what is absent cannot be held") }
        self.init(
            try fields.name("name", allowing: "._+-:"),
            version: fields.has("version") ? try fields.name("version", allowing: ".+-~:^_") : nil,
            hold: hold,
            ensure: ensure
        )
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["name": name] }
    /// What it makes and needs.
    public var claims: Claims { Claims(owns: [.name("package:\(name)")]) }
    /// What it must not run beside.
    public var lane: String? { "packages" }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> PackageStatus? {
        try await node.package(named: name)
    }

    /// Decides, from what was found.
    public func plan(from found: PackageStatus?) throws -> [Step] {
        guard ensure == .present else {
            return found.map { [.remove([name], [Change("version", from: .text($0.version))])] } ?? []
        }
        let changes = self.changes(from: found)
        return changes.isEmpty ? [] : [.install([PackageRequest(name: name, version: version, hold: hold)], changes)]
    }

    private func changes(from found: PackageStatus?) -> [Change] {
        var changes: [Change] = []
        if let found {
            if let version, found.version != version {
                changes.append(Change("version", from: .text(found.version), to: .text(version)))
            } else if !found.configured {
                changes.append(Change("state", from: .text("half-installed"), to: .text("installed")))
            }
        } else {
            changes.append(Change("version", to: .text(version ?? "any")))
        }
        if let hold, hold != (found?.held ?? false) {
            changes.append(Change("hold", from: found.map { .text("\($0.held)") }, to: .text("\(hold)")))
        }
        return changes
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .install(let packages, _): try await node.installPackages(packages)
        case .remove(let names, _): try await node.removePackages(names)
        }
    }

    /// One removal and one installation.
    public static func merge(_ steps: [Step]) -> [Step]? {
        var requests: [PackageRequest] = []
        var names: [String] = []
        var installed: [Change] = []
        var removed: [Change] = []
        for step in steps {
            switch step {
            case .install(let more, let changes):
                requests += more
                installed += changes
            case .remove(let more, let changes):
                names += more
                removed += changes
            }
        }
        // Removal first: what is installed may conflict with what goes.
        return (names.isEmpty ? [] : [.remove(names, removed)])
            + (requests.isEmpty ? [] : [.install(requests, installed)])
    }
}
