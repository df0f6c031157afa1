// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// A package of the system's package manager.
///
/// - Shape: `package` {`name`, `version`, `ensure`}; without a version any is right. All that are ready together are
///   installed in one transaction.
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
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a package.
    public init(
        _ name: String,
        version: String? = nil,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(name)
        self.after = after
        self.name = name
        self.version = version
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "name", "version")
        let version = fields.has("version") ? try fields.name("version", allowing: ".+-~:") : nil
        self.init(try fields.name("name", allowing: ".+-:"), version: version, ensure: try fields.ensure())
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
        let request = PackageRequest(name: name, version: version)
        guard let found else { return [.install([request], [Change("version", to: .text(version ?? "any"))])] }
        if let version, found.version != version {
            return [.install([request], [Change("version", from: .text(found.version), to: .text(version))])]
        }
        guard !found.configured else { return [] }
        return [.install([request], [Change("state", from: .text("half-installed"), to: .text("installed"))])]
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
