// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// What a machine does for the whole cluster while it holds the lease.
extension EtcdAgent {
    /// What came of a look as the leader; nothing where another machine leads.
    struct Lead: Sendable {
        /// The step that was done.
        var step: String?
        /// The voters that do not serve.
        var silent: [String] = []
        /// Why a step was not done: the cluster's trouble, and none of this machine's member.
        var trouble: (text: String, hint: String?)?
    }

    /// Does the next step, if this machine leads and there is one.
    ///
    /// - Throws: `CancellationError` only.
    mutating func lead(_ round: Round) async throws -> Lead {
        do {
            return try await decide(round)
        } catch let error as CancellationError {
            throw error
        } catch let failure as Failure {
            return Lead(trouble: (failure.message, failure.hint))
        } catch {
            return Lead(trouble: ("\(error)", nil))
        }
    }

    private mutating func decide(_ round: Round) async throws -> Lead {
        guard let token = leadership.token(at: means.now()) else { return Lead() }
        let view = await view(of: round)
        leadership.note(hears: !view.statuses.isEmpty || needsNoAnswer(round), at: means.now())
        let command = try await means.registers.read(.command)?.value
        let silent = view.record.voters.filter { !view.isHealthy($0) }
        guard
            let step = LeaderStep.next(
                view,
                spec: round.spec,
                command: command,
                token: token,
                rules: rules
            )
        else {
            return Lead(silent: silent)
        }
        try await perform(step, view, round)
        return Lead(step: step.text, silent: silent)
    }

    /// Whether nobody would hear more: there is no other machine, or no member is to run.
    private func needsNoAnswer(_ round: Round) -> Bool {
        if case .restore? = round.record.operation { return true }
        return round.spec.members.count < 2
    }

    /// What the store says, with what etcd says now.
    mutating func view(of round: Round) async -> MembershipView {
        var view = MembershipView(
            record: round.record,
            peerURLs: round.spec.peerURLs(of: round.spec.members + round.record.members.keys),
            release: round.spec.release,
            reports: round.reports
        )
        let names = round.record.members.keys.sorted().filter { view.reports[$0] != nil }
        let endpoints = names.compactMap { view.reports[$0]?.clientURL }
        let answers = await means.etcd.statuses(of: endpoints)
        for (name, endpoint) in zip(names, endpoints) { view.statuses[name] = answers[endpoint] }
        if let endpoint = view.endpoint { view.listed = try? await means.etcd.members(at: endpoint).members }
        view.stalled = stalls.look(view, at: means.now())
        return view
    }

    private mutating func perform(_ step: LeaderStep, _ view: MembershipView, _ round: Round) async throws {
        if let changed = step.record(after: view.record, token: leadership.token(at: means.now()) ?? 0) {
            if case .beginAnew(let restore, _) = step { try rules.check(.beginAnew(restore, view: view)) }
            if case .beginRestore(let command) = step { try await keepLast(of: view, before: command) }
            if case .endRestore = step {
                guard let endpoint = view.endpoint else { return }
                try await means.clearStale(endpoint)
            }
            try rules.check(.decide(token: leadership.token(at: means.now()), record: view.record))
            return try await means.registers.write(changed, to: .record, replacing: round.version)
        }
        guard let endpoint = view.endpoint else { return }
        switch step {
        case .addLearner(let member):
            try rules.check(.addLearner(member: member, view: view))
            try await call(view) { etcd in
                guard let url = view.peerURLs[member] else { return }
                _ = try await etcd.addLearner(peerURL: url, at: endpoint)
            }
        case .promote(let member):
            try rules.check(.promote(member: member, view: view))
            try await call(view) { etcd in
                guard let id = view.record.members[member]?.etcdID else { return }
                try await etcd.promote(id, at: endpoint)
            }
        case .remove(let member, let id):
            try await remove(member, id, view, round, endpoint)
        case .removeStray(let id):
            try await call(view) { try await $0.remove(id, at: endpoint) }
        default: break
        }
    }

    /// Backs up what a restore is about to give up, where a member has it.
    ///
    /// The restore does not hang on it: it may be asked for because nothing can be read, and each volume keeps its data
    /// beside the new.
    private func keepLast(of view: MembershipView, before command: OperatorCommand) async throws {
        guard let endpoint = view.endpoint ?? view.furthest else { return }
        do {
            try await means.backups.take(before: "restore \(command.restore ?? "")", from: endpoint)
        } catch let error as CancellationError {
            throw error
        } catch let failure as Failure where failure.code == BackupErrand.underWay {
            throw failure
        } catch {}
    }

    private mutating func remove(
        _ member: String,
        _ id: UInt64,
        _ view: MembershipView,
        _ round: Round,
        _ endpoint: String
    ) async throws {
        // Before a backup is taken for nothing.
        try rules.check(.removeNow(member: member, view: view, hasBackup: true))
        let hasBackup = !rules.allow(.removeNow(member: member, view: view, hasBackup: false))
        if hasBackup { try await means.backups.take(before: "remove \(member)", from: endpoint) }
        // A backup takes its time; who serves now counts.
        let now = await self.view(of: round)
        try rules.check(.removeNow(member: member, view: now, hasBackup: hasBackup))
        try await call(view) { try await $0.remove(id, at: endpoint) }
    }

    /// Calls etcd as the leader; whether it has happened is seen the next time.
    private func call(_ view: MembershipView, _ body: (any EtcdAPI) async throws -> Void) async throws {
        try rules.check(.decide(token: leadership.token(at: means.now()), record: view.record))
        try await body(means.etcd)
    }
}
