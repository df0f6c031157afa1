// SPDX-License-Identifier: Apache-2.0
public import NodeOS
internal import SystemPackage

/// A systemd unit: its definition, whether it runs and whether it starts at boot.
///
/// - Shape: `service` {`name`, `definition`, `dropIns`, `running` (`true`), `enabled` (`true`), `restartOn`, `ensure`};
///   the definition is the text of `/etc/systemd/system/<name>`, without it the unit comes from elsewhere. `dropIns` is
///   an object of file names with the texts of `/etc/systemd/system/<name>.d/<file name>`; others there stay.
/// - A running unit is restarted when its definition, a task in `restartOn`, or a task that makes its unit file or a
///   drop-in changes. The restart is owed from before that change until it has happened, whatever crashes in between.
public struct ServiceTask: DeclaredTask {
    /// The unit as it is.
    public struct Found: Sendable, Equatable {
        var unit: UnitStatus
        /// The file in `/etc/systemd/system`; `nil` when there is none.
        var definition: ShownContent?
        /// The declared drop-ins that are there, by file name.
        var dropIns: [String: ShownContent]
        var isRestartOwed: Bool
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
    let dropIns: [String: String]
    let running: Bool
    let enabled: Bool
    /// Whether another unit starts it, such as a timer: at one moment it runs, at the next it does not, and both are right.
    let isTriggered: Bool
    let restartOn: [TaskID]
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a unit; one that another unit triggers is neither started nor stopped nor enabled.
    public init(
        _ name: String,
        definition: String? = nil,
        dropIns: [String: String] = [:],
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
        self.dropIns = dropIns
        self.running = running && !triggered
        self.enabled = enabled && !triggered
        self.isTriggered = triggered
        self.restartOn = restartOn
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "name", "definition", "dropIns", "running", "enabled", "restartOn")
        let name = try fields.name("name", allowing: "._-@:\\")
        guard name.contains("."), !name.hasSuffix(".") else {
            throw fields.refuse("name", "\"\(name)\" has no suffix such as .service")
        }
        self.init(
            name,
            definition: try fields.optional("definition"),
            dropIns: try Self.dropIns(fields),
            running: try fields.optional("running") ?? true,
            enabled: try fields.optional("enabled") ?? true,
            restartOn: try fields.words("restartOn").map { TaskID($0) },
            ensure: try fields.ensure()
        )
    }

    /// systemd reads of a drop-in directory only what ends in `.conf` (systemd.unit(5)).
    private static func dropIns(_ fields: Fields) throws -> [String: String] {
        let texts = try fields.optional("dropIns", [String: String].self) ?? [:]
        for name in texts.keys.sorted() where !Fields.isName(name, allowing: "._-@") || !name.hasSuffix(".conf") {
            throw fields.refuse("dropIns", "\"\(name.prefix(60))\" is no file name that ends in .conf")
        }
        return texts
    }

    var path: FilePath { FilePath("/etc/systemd/system").appending(name) }
    private var directory: FilePath { FilePath("/etc/systemd/system").appending("\(name).d") }
    private func path(ofDropIn file: String) -> FilePath { directory.appending(file) }
    private var marker: RestartMarker { RestartMarker(unit: name) }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["name": name] }
    /// What it makes and needs.
    public var claims: Claims {
        let unit: Claims.Claim = .name("unit:\(name)")
        let files = dropIns.keys.sorted().map { path(ofDropIn: $0) }
        guard ensure == .present else { return Claims(owns: [unit], reactsTo: [directory], clears: [path] + files) }
        let owned = (definition == nil ? [] : [path]) + files
        return Claims(
            owns: [unit] + owned.map { .path($0) },
            reactsTo: definition == nil ? [path, directory] : [directory]
        )
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
        // The others make the unit's file or a drop-in, which systemd then has to read again.
        if tasks.contains(where: { !restartOn.contains($0) }) { found.unit.needsReload = true }
        return found
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        let unit = try await node.unit(named: name)
        let definition = try await content(of: path, wanted: definition, on: node)
        let isOwed = try await marker.isSet(on: node)
        var present: [String: ShownContent] = [:]
        for (file, text) in dropIns {
            present[file] = try await content(of: path(ofDropIn: file), wanted: text, on: node)
        }
        let isGone = unit.load == "not-found" && unit.active == "inactive" && definition == nil
        if isGone, present.isEmpty, !isOwed { return nil }
        return Found(unit: unit, definition: definition, dropIns: present, isRestartOwed: isOwed)
    }

    private func content(of path: FilePath, wanted: String?, on node: any NodeReader) async throws -> ShownContent? {
        guard let status = try await node.status(of: path), status.kind == .regular else { return nil }
        let digest = wanted.map { SHA256Hex.of([UInt8]($0.utf8)) } ?? ""
        return try await node.content(of: path, status, wanted: digest, mayShow: true)
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else { return removal(found) }
        let unit = found?.unit ?? .absent
        guard unit.load != "masked" else {
            throw conflict("unit-masked", "\(name) is masked", hint: "systemctl unmask \(name)")
        }
        let isOwed = found?.isRestartOwed ?? false
        let files = files(found)
        let isUnread = !files.isEmpty || unit.needsReload
        let running = runningSteps(unit.active, isOutdated: isUnread || isOwed, isOwed: isOwed)
        let reload: [Step] = isUnread ? [.reload(isShown: files.isEmpty && running.isEmpty)] : []
        return files + reload + (enabling(unit.file).map { [$0] } ?? []) + running
    }

    /// The steps that write the definition and the drop-ins which differ.
    private func files(_ found: Found?) -> [Step] {
        var steps: [Step] = []
        if let definition, found?.definition?.sha256 != SHA256Hex.of([UInt8](definition.utf8)) {
            steps.append(.define(definition, path, from: found?.definition))
        }
        for (file, text) in dropIns.sorted(by: { $0.key < $1.key }) {
            let old = found?.dropIns[file]
            guard old?.sha256 != SHA256Hex.of([UInt8](text.utf8)) else { continue }
            steps.append(.dropIn(text, path(ofDropIn: file), from: old))
        }
        return steps
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
        case (false, _): [.stop(from: active)]
        }
    }

    private func removal(_ found: Found?) -> [Step] {
        guard let found else { return [] }
        var steps: [Step] = []
        if !["inactive", "failed"].contains(found.unit.active) { steps.append(.stop(from: found.unit.active)) }
        if ["enabled", "enabled-runtime"].contains(found.unit.file) {
            steps.append(.enable(false, from: found.unit.file))
        }
        let dropIns = found.dropIns.sorted { $0.key < $1.key }
        steps += dropIns.map { .undefine(path(ofDropIn: $0.key), $0.value) }
        if let definition = found.definition { steps.append(.undefine(path, definition)) }
        if found.definition != nil || !dropIns.isEmpty {
            steps.append(.reloadRemoved)
        } else if found.unit.needsReload {
            steps.append(.reloadRemoved)
        }
        // Stopping forgets what was owed.
        let isStopped = !["inactive", "failed"].contains(found.unit.active)
        return steps + (found.isRestartOwed && !isStopped ? [.forget] : [])
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .define(let text, let path, _), .dropIn(let text, let path, _):
            if running { try await marker.set(because: id, on: node) }
            try await node.writeOwn(text, to: path)
        case .reload:
            if running { try await marker.set(because: id, on: node) }
            try await oweRestarts(on: node)
            try await node.reloadUnits()
        case .reloadRemoved:
            try await oweRestarts(on: node)
            try await node.reloadUnits()
        case .enable(let enabled, _):
            try await oweRestarts(on: node)
            try await node.setUnit(name, enabled: enabled)
        case .start: try await change(.start, on: node)
        case .restart: try await change(.restart, on: node)
        case .stop: try await change(.stop, on: node)
        case .forget: try await marker.clear(on: node)
        case .undefine(let path, _): try await node.remove(path)
        }
    }

    /// Remembers which units run with what was there before: systemd forgets that of all of them when it reads its
    /// units again.
    private func oweRestarts(on node: any NodeWriter) async throws {
        for unit in try await node.outdatedUnits() where unit != name {
            try await RestartMarker(unit: unit).set(because: id, on: node)
        }
    }

    private func change(_ change: UnitChange, on node: any NodeWriter) async throws {
        try await node.changeUnit(name, change)
        try await marker.clear(on: node)
    }
}
