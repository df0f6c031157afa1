// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import StateStore
import SystemPackage

/// Says what this run is at: to the machine's own journal file, and to whoever publishes it further.
///
/// A change of phase or a failure is written at once; progress within a phase at most twice a second, since every
/// write to an object store is a request.
actor StatusReporter: ConvergeObserver {
    /// The last run's report on the machine itself.
    static let journal: FilePath = "/var/lib/kopslite/nodeup-status.json"

    private let node: any NodeWriter
    private let publish: @Sendable ([UInt8]) -> Void
    private let now: @Sendable () -> Date
    private var status: AgentStatus
    private var lastWrite = Date.distantPast
    private var phaseStart: Date
    private var running: [TaskID] = []
    /// What tasks wait for, until they end.
    private var waits: [TaskID: AgentFailure] = [:]
    /// The failure that ends the run.
    private var root: AgentFailure?
    /// What ended the run before this one: it stays in sight until this one gets further.
    private var previous: AgentFailure?

    /// Begins a report; nothing is written yet.
    ///
    /// Tasks wait for every report, so `publish` must not take long.
    init(
        boot: BootConfig,
        node: any NodeWriter,
        now: @escaping @Sendable () -> Date,
        publish: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.node = node
        self.publish = publish
        self.now = now
        self.phaseStart = now()
        self.status = AgentStatus(
            agent: "nodeup",
            instance: boot.instance,
            instanceGroup: boot.instanceGroup,
            phase: .acquiring,
            activity: "reads \(boot.store)",
            started: phaseStart,
            updated: phaseStart
        )
    }

    /// Enters a phase.
    func enter(_ phase: AgentPhase, _ activity: String, inputs: NodeInputs? = nil) async {
        closePhase()
        status.phase = phase
        status.activity = activity
        if let inputs {
            status.role = inputs.config.role
            status.generation = inputs.followed.number
        }
        await write()
    }

    /// Notes a failure that does not end the run.
    func warn(_ failure: Failure) async {
        status.failure = AgentFailure(failure)
        await write()
    }

    /// Ends the run.
    func end(_ phase: AgentPhase, _ activity: String, failure: Failure?) async {
        closePhase()
        status.phase = phase
        status.activity = activity
        status.failure = failure.map(AgentFailure.init)
        await write()
    }

    func runStarted(total: Int) async {
        status.tasksTotal = total
        status.tasksDone = 0
        status.tasksChanged = 0
        await write()
    }

    func taskStarted(_ id: TaskID) async {
        running.append(id)
        await progress()
    }

    func taskFinished(_ record: TaskRecord) async {
        running.removeAll { $0 == record.id }
        status.tasksDone += 1
        if record.changed { status.tasksChanged += 1 }
        if record.changed || record.end.timeIntervalSince(record.start) > 0.2 {
            status.spans.append(AgentStatus.Span(name: record.id.name, start: record.start, end: record.end))
        }
        let waited = waits.removeValue(forKey: record.id) != nil
        if let failure = record.failure, root == nil { root = AgentFailure(failure) }
        if waited || record.failure != nil {
            showFailure()
            await write()
        } else {
            await progress()
        }
    }

    func taskWaiting(_ id: TaskID, because failure: Failure) async {
        waits[id] = AgentFailure(failure)
        showFailure()
        status.activity = "\(id): waits"
        await write()
    }

    /// A failure that ends the run matters more than one that may pass.
    private func showFailure() { status.failure = root ?? waits.min { $0.key < $1.key }?.value ?? previous }

    /// Takes over what the journal says of the last run.
    func recall() async {
        guard let bytes = try? await node.read(Self.journal), let last = try? AgentStatus(parsing: bytes) else {
            return
        }
        previous = last.phase == .converged ? nil : last.failure
        status.failure = previous
    }

    private func progress() async {
        status.activity = running.first?.name ?? status.activity
        if now().timeIntervalSince(lastWrite) >= 0.5 { await write() }
    }

    private func closePhase() {
        let end = now()
        status.spans.append(AgentStatus.Span(name: status.phase.rawValue, start: phaseStart, end: end))
        phaseStart = end
    }

    private func write() async {
        lastWrite = now()
        status.updated = lastWrite
        if let bytes = await Self.note(status, on: node) { publish(bytes) }
    }

    /// Writes a report to the machine's journal file, and returns its bytes.
    ///
    /// One that cannot be written must not stop the machine from becoming a node.
    static func note(_ status: AgentStatus, on node: any NodeWriter) async -> [UInt8]? {
        guard let bytes = try? status.encoded() else { return nil }
        try? await node.makeDirectory(journal.removingLastComponent(), attributes: FileAttributes(mode: 0o700))
        try? await node.write(bytes, to: journal, attributes: FileAttributes(mode: 0o600, uid: 0, gid: 0))
        return bytes
    }
}

extension AgentFailure {
    /// The failure as people read it: the chain in one line.
    init(_ failure: Failure) {
        self.init(code: failure.code, message: failure.chain, hint: failure.hint ?? "")
    }
}
