// SPDX-License-Identifier: Apache-2.0
public import NodeOS
internal import SystemPackage

/// A systemd unit: its definition, whether it runs and whether it starts at boot.
///
/// - Shape: `service` {`name`, `definition`, `running` (`true`), `enabled` (`true`), `restartOn`, `ensure`}; the
///   definition is the text of `/etc/systemd/system/<name>`, without it the unit comes from elsewhere.
/// - A running unit is restarted when its definition, a task in `restartOn`, or a task that makes its unit file or a
///   drop-in changes. The restart is owed from before that change until it has happened, whatever crashes in between.
public struct ServiceTask: DeclaredTask {
    /// The unit as it is.
    public struct Found: Sendable, Equatable {
        var unit: UnitStatus
        /// The digest and size of the file in `/etc/systemd/system`; `nil` when there is none.
        var definition: Definition?
        var isRestartOwed: Bool
    }

    /// A unit file's digest.
    public struct Definition: Sendable, Equatable {
        var sha256: String
        var size: Int
        var shown: Change.Shown { .digest(sha256, bytes: size) }
    }

    /// Effects on a unit.
    public enum Step: PlannedStep {
        case define(String, from: Definition?)
        case reload
        case enable(Bool, from: String)
        case start(from: String)
        case stop(from: String)
        case restart
        /// Drops a restart that is owed by a unit that is not to run.
        case forget
        case undefine(Definition)
        /// Makes systemd forget a unit whose file is gone.
        case reloadRemoved

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .define(let text, let from): Change("definition", from: from?.shown, to: Definition(text).shown)
            case .reload: Change("loaded", from: .text("outdated"), to: .text("current"))
            case .enable(let enabled, let from):
                Change("enabled", from: from.isEmpty ? nil : .text(from), to: .text(enabled ? "enabled" : "disabled"))
            case .start(let from): Change("state", from: .text(from), to: .text("active"))
            case .stop(let from): Change("state", from: .text(from), to: .text("inactive"))
            case .restart: Change("started with", from: .text("outdated"), to: .text("current"))
            case .forget: Change("owed restart", from: .text("set"))
            case .undefine(let from): Change("definition", from: from.shown)
            case .reloadRemoved: Change("loaded", from: .text("present"))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "service"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// The unit's name with its suffix.
    public let name: String
    let definition: String?
    let running: Bool
    let enabled: Bool
    /// Whether another unit starts it, such as a timer: at one moment it runs, at the next it does not, and both are right.
    let isTriggered: Bool
    let restartOn: [TaskID]
    let ensure: Ensure

    /// Declares a unit; one that another unit triggers is neither started nor stopped nor enabled.
    public init(
        _ name: String,
        definition: String? = nil,
        running: Bool = true,
        enabled: Bool = true,
        triggered: Bool = false,
        restartOn: [TaskID] = [],
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(name)
        self.after = after
        self.name = name
        self.definition = definition
        self.running = running && !triggered
        self.enabled = enabled && !triggered
        self.isTriggered = triggered
        self.restartOn = restartOn
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "name", "definition", "running", "enabled", "restartOn")
        let name = try fields.name("name", allowing: "._-@:\\")
        guard name.contains("."), !name.hasSuffix(".") else {
            throw fields.refuse("name", "\"\(name)\" has no suffix such as .service")
        }
        self.init(
            name,
            definition: try fields.optional("definition"),
            running: try fields.optional("running") ?? true,
            enabled: try fields.optional("enabled") ?? true,
            restartOn: try fields.words("restartOn").map { TaskID($0) },
            ensure: try fields.ensure()
        )
    }

    var path: FilePath { FilePath("/etc/systemd/system").appending(name) }
    private var marker: RestartMarker { RestartMarker(unit: name) }

    /// What it makes and needs.
    public var claims: Claims {
        let unit: Claims.Claim = .name("unit:\(name)")
        let dropIns = FilePath("/etc/systemd/system").appending("\(name).d")
        guard ensure == .present else { return Claims(owns: [unit], reactsTo: [dropIns], clears: [path]) }
        let owned: [Claims.Claim] = definition == nil ? [] : [.path(path)]
        return Claims(owns: [unit] + owned, reactsTo: definition == nil ? [path, dropIns] : [dropIns])
    }
    /// Whose changes it follows.
    public var follows: [TaskID] { restartOn }

    /// Owes the restart.
    public func noteChange(of task: TaskID, on node: any NodeWriter) async throws {
        guard ensure == .present, running else { return }
        try await marker.set(because: task, on: node)
    }

    /// Foresees the restart.
    public func foreseen(_ found: Found?, afterChangesOf tasks: [TaskID]) -> Found? {
        guard var found, running, ensure == .present else { return found }
        found.isRestartOwed = true
        return found
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        let unit = try await node.unit(named: name)
        let text = try await node.text(of: path)
        let isOwed = try await marker.isSet(on: node)
        if unit.load == "not-found", unit.active == "inactive", text == nil, !isOwed { return nil }
        return Found(unit: unit, definition: text.map(Definition.init), isRestartOwed: isOwed)
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else { return removal(found) }
        let unit = found?.unit ?? .absent
        guard unit.load != "masked" else {
            throw conflict("unit-masked", "\(name) is masked", hint: "systemctl unmask \(name)")
        }
        var steps: [Step] = []
        var isOutdated = found?.isRestartOwed ?? false
        if let definition, found?.definition != Definition(definition) {
            steps = [.define(definition, from: found?.definition), .reload]
            isOutdated = true
        } else if unit.needsReload {
            steps = [.reload]
            isOutdated = true
        }
        if let step = enabling(unit.file) { steps.append(step) }
        return steps + runningSteps(unit.active, isOutdated: isOutdated, isOwed: found?.isRestartOwed ?? false)
    }

    /// Static, generated and aliased units have no state of their own to change.
    private func enabling(_ state: String) -> Step? {
        switch state {
        case "enabled", "enabled-runtime": enabled ? nil : .enable(false, from: state)
        case "disabled", "": enabled ? .enable(true, from: state) : nil
        default: nil
        }
    }

    private func runningSteps(_ active: String, isOutdated: Bool, isOwed: Bool) -> [Step] {
        if isTriggered { return [] }
        return switch (running, active) {
        case (true, "active"), (true, "reloading"): isOutdated ? [.restart] : []
        case (true, _): [.start(from: active)]
        case (false, "inactive"), (false, "failed"): isOwed ? [.forget] : []
        case (false, _): [.stop(from: active)] + (isOwed ? [.forget] : [])
        }
    }

    private func removal(_ found: Found?) -> [Step] {
        guard let found else { return [] }
        var steps: [Step] = []
        if !["inactive", "failed"].contains(found.unit.active) { steps.append(.stop(from: found.unit.active)) }
        if ["enabled", "enabled-runtime"].contains(found.unit.file) {
            steps.append(.enable(false, from: found.unit.file))
        }
        if let definition = found.definition {
            steps += [.undefine(definition), .reloadRemoved]
        } else if found.unit.needsReload {
            steps.append(.reloadRemoved)
        }
        return steps + (found.isRestartOwed ? [.forget] : [])
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .define(let text, _):
            if running { try await marker.set(because: id, on: node) }
            try await node.writeOwn(text, to: path)
        case .reload:
            // systemd forgets at the reload that the unit was outdated; the marker does not.
            if running { try await marker.set(because: id, on: node) }
            try await node.reloadUnits()
        case .reloadRemoved: try await node.reloadUnits()
        case .enable(let enabled, _): try await node.setUnit(name, enabled: enabled)
        case .start: try await change(.start, on: node)
        case .restart: try await change(.restart, on: node)
        case .stop: try await change(.stop, on: node)
        case .forget: try await marker.clear(on: node)
        case .undefine: try await node.remove(path)
        }
    }

    private func change(_ change: UnitChange, on node: any NodeWriter) async throws {
        try await node.changeUnit(name, change)
        try await marker.clear(on: node)
    }
}

extension ServiceTask.Definition {
    init(_ text: String) {
        let bytes = [UInt8](text.utf8)
        self.init(sha256: SHA256Hex.of(bytes), size: bytes.count)
    }
}
