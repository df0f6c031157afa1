// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel
import NodeBuilders
import NodeOS

/// Runs this machine's member of an etcd cluster, and the cluster where it leads.
struct EtcdStep: Step {
    let etcdCluster: String
    let member: EtcdMemberRunner
    /// Where etcd's own words are.
    let log: String

    var name: String { EtcdSteps.name("etcd", of: etcdCluster) }
    var activity: String { "waiting for etcd" }
    let patience: Duration = .seconds(300)
    /// Shorter than a leader relies on its lease, so that it stays the leader; short while others are to follow.
    var cadence: Duration { member.isSettled ? .seconds(8) : .seconds(1) }

    func converge(_ observer: any StepObserver) async throws {
        let outlook = try await member.look()
        if let awaited = outlook.cluster {
            let remedy = outlook.hint.map { "; \($0)" } ?? ""
            await observer.progress("etcd \(etcdCluster) waits for \(awaited)\(remedy)")
        }
        // The machines after this one's member need it alone; the others may come in their time.
        guard let awaited = outlook.member else { return }
        throw Failure(
            .waiting,
            code: "etcd-not-as-declared",
            "etcd \(etcdCluster) waits for \(awaited)",
            hint: outlook.hint ?? log
        )
    }
}

/// One member's agent, which remembers from look to look whether it leads.
actor EtcdMemberRunner {
    private let make: @Sendable () async throws -> EtcdAgent
    private let spec: @Sendable () async throws -> EtcdSpec
    private var agent: EtcdAgent?
    private nonisolated let settled = Handover<Bool>()

    /// How many steps a look takes at the most, so that other steps have their turn.
    private static let steps = 8

    init(
        make: @escaping @Sendable () async throws -> EtcdAgent,
        spec: @escaping @Sendable () async throws -> EtcdSpec
    ) {
        self.make = make
        self.spec = spec
    }

    /// Whether nothing was awaited when it was looked at last.
    nonisolated var isSettled: Bool { settled.value == true }

    /// Whether this machine decides for the cluster now.
    var leads: Bool { agent?.leads == true }

    /// Looks, and does what is to be done.
    func look() async throws -> EtcdAgent.Outlook {
        var agent: EtcdAgent
        if let kept = self.agent { agent = kept } else { agent = try await make() }
        defer { self.agent = agent }
        settled.value = false
        do {
            var outlook = EtcdAgent.Outlook()
            for _ in 0..<Self.steps {
                outlook = try await agent.tick(try await spec())
                guard outlook.hasAdvanced else { break }
            }
            settled.value = outlook == EtcdAgent.Outlook()
            return outlook
        } catch let error as RegisterError {
            throw Failure(error)
        } catch let error as EtcdError {
            throw Failure(error)
        }
    }
}

extension Failure {
    /// What is wrong with a member's etcd, for a person.
    init(_ error: EtcdError) {
        self.init(
            .waiting,
            code: "etcd-unhealthy",
            "\(error)",
            hint: "it is asked again by itself; `kopslite etcd status` shows which members serve"
        )
    }

    /// What is wrong with the store, for a person.
    init(_ error: RegisterError) {
        let (code, hint) =
            switch error {
            case .conflict:
                ("etcd-record-contended", "another machine wrote it at the same time; it is looked at again by itself")
            case .damaged:
                (
                    "store-unreadable",
                    "its owner writes it anew; a record may be taken back from the store's older versions"
                )
            case .unavailable: ("store-unreadable", "check that this machine reaches the state store")
            }
        self.init(.transient, code: code, "\(error)", hint: hint)
    }
}
