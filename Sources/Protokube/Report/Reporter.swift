// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import FoundationEssentials
import KopsModel
import Logging
import NodeOS

/// Turns what the pipeline says into protokube's status, its log and its word to the service manager.
actor Reporter: PipelineReport {
    /// The service manager as far as protokube speaks to it.
    protocol ServiceManager: Sendable {
        func ready(_ status: String)
        func status(_ text: String)
        func alive()
        func stopping()
    }

    private let subject: String
    private let serviceManager: any ServiceManager
    private let publish: @Sendable (AgentStatus) -> Void
    private let now: @Sendable () -> Date
    private let log: Logger
    private var status: AgentStatus
    private var published: AgentStatus?
    private var starts: [String: Date] = [:]
    private var storeFailure: Failure?

    /// Begins a report; `subject` is what the steps are for.
    init(
        boot: BootConfig,
        subject: String = "control plane",
        serviceManager: any ServiceManager,
        log: Logger,
        now: @escaping @Sendable () -> Date,
        publish: @escaping @Sendable (AgentStatus) -> Void
    ) {
        self.subject = subject
        self.serviceManager = serviceManager
        self.publish = publish
        self.now = now
        self.log = log
        let start = now()
        status = AgentStatus(
            agent: "protokube",
            instance: boot.instance,
            instanceGroup: boot.instanceGroup,
            role: .controlPlane,
            phase: .acquiring,
            activity: "starts",
            started: start,
            updated: start
        )
    }

    /// Which generation the machine follows, and why no newer one can be, which hinders nothing and is told all the same.
    func follows(generation: Int, despite failure: Failure? = nil) {
        status.generation = generation
        storeFailure = failure
    }

    /// How well an etcd cluster is backed up, where this machine leads it.
    func summarises(_ etcdCluster: String, _ summary: BackupSummary?) {
        var backups = (status.backups ?? []).filter { $0.etcdCluster != etcdCluster }
        if let summary {
            backups.append(
                AgentStatus.Backups(
                    etcdCluster: etcdCluster,
                    count: summary.count,
                    newestProven: summary.newestProven,
                    damaged: summary.damaged
                )
            )
        }
        status.backups = backups.isEmpty ? nil : backups.sorted { $0.etcdCluster < $1.etcdCluster }
    }

    func begin(_ steps: [any Step]) {
        status.tasksTotal = steps.count
        // The service counts as started once it reports: how far the control plane is, is for its status to say, and
        // nobody who starts the service should wait for a cloud's volume.
        serviceManager.ready(status.activity)
        emit()
    }

    func alive() { serviceManager.alive() }

    func began(_ index: Int, _ states: [StepState], _ steps: [any Step]) {
        let step = steps[index]
        if starts[step.name] == nil { starts[step.name] = now() }
        // In the steady state looking once more is no news.
        guard !states[index].hasBeenTrue, states[index].attempts == 0 else { return }
        log.info("\(step.activity)", metadata: ["step": "\(step.name)"])
        if step.isEssential {
            status.phase = .converging
            status.activity = step.activity
            emit()
        }
    }

    func progress(_ activity: String) {
        serviceManager.alive()
        guard !activity.isEmpty, status.phase == .converging else { return }
        serviceManager.status(activity)
    }

    func partBegan(_ name: String) {
        starts[name] = now()
        guard status.phase == .converging else { return }
        status.activity = name
        emit()
    }

    func partEnded(_ name: String) { close(name) }

    func ended(_ step: any Step) {
        close(step.name)
        log.info("done", metadata: ["step": "\(step.name)"])
    }

    func states(_ states: [StepState], _ steps: [any Step], now: Duration) {
        let summary = PhaseSummary(steps, states, now: now, subject: subject)
        let failure = summary.failure ?? storeFailure.map(AgentFailure.init)
        if let failure, failure.code != status.failure?.code {
            log.warning("\(failure.message) [\(failure.code)]\(failure.hint.isEmpty ? "" : "; " + failure.hint)")
        }
        status.phase = summary.phase
        status.activity = summary.activity
        status.failure = failure
        status.tasksDone = summary.done
        emit()
    }

    /// Says that protokube ends.
    func stopping() {
        log.info("ends")
        serviceManager.stopping()
    }

    private func close(_ name: String) {
        guard let start = starts.removeValue(forKey: name), !status.spans.contains(where: { $0.name == name }) else {
            return
        }
        status.spans.append(AgentStatus.Span(name: name, start: start, end: now()))
    }

    /// Publishes what changed, and every heartbeat that nothing did.
    private func emit() {
        status.updated = now()
        if var last = published, status.updated.timeIntervalSince(last.updated) < AgentStatus.heartbeat {
            last.updated = status.updated
            // A wait's seconds count on in its message; that alone is published with the next heartbeat.
            last.failure?.message = status.failure?.message ?? ""
            if last == status { return }
        }
        if status.activity != published?.activity || status.phase != published?.phase {
            serviceManager.status("\(status.phase.rawValue): \(status.activity)")
        }
        published = status
        publish(status)
    }
}
