// SPDX-License-Identifier: Apache-2.0

extension EtcdAgent {
    /// What is awaited after a look.
    public struct Outlook: Sendable, Equatable {
        /// Of this machine's member; `nil` once it serves as it should.
        public var member: String?
        /// Of the cluster, as far as this machine knows; `nil` once it is as declared.
        public var cluster: String?
        /// The remedy, where what is awaited may not come by itself.
        public var hint: String?
        /// Whether the cluster came a step further by this look, so that another one is worth it at once.
        public var hasAdvanced: Bool

        /// Makes an outlook from its parts; with none nothing is awaited.
        public init(member: String? = nil, cluster: String? = nil, hint: String? = nil, hasAdvanced: Bool = false) {
            self.member = member
            self.cluster = cluster
            self.hint = hint
            self.hasAdvanced = hasAdvanced
        }
    }

    /// What is awaited, from what a look has shown.
    mutating func outlook(_ report: MemberReport, _ round: Round, _ lead: Lead) async -> Outlook {
        let record = round.record
        var outlook = Outlook(
            member: awaited(report, round),
            cluster: lead.step ?? record.operation.map { "\($0.text) to go on" },
            hasAdvanced: lead.step != nil
        )
        if let trouble = lead.trouble {
            outlook.cluster = trouble.text
            outlook.hint = trouble.hint
        }
        if let hold = await hold(report, round) {
            outlook.member = hold
            outlook.hint = hint(record, place.member)
        }
        if lead.step == nil, let first = lead.silent.first {
            outlook.cluster = outlook.cluster ?? "member \(lead.silent.joined(separator: ", ")) to serve"
            outlook.hint = outlook.hint ?? hint(record, first)
        }
        return outlook
    }

    /// Why the turn to restart is not over, though it is this machine's member's; `nil` in all other cases.
    private mutating func hold(_ report: MemberReport, _ round: Round) async -> String? {
        guard round.record.operation == .restart(member: place.member), report.isRunning, report.data == .good else {
            return nil
        }
        guard report.isCurrent else {
            let act = RiskyAct.restart(member: place.member, view: await view(of: round))
            return rules.objection(to: act).map { "its restart: \($0)" }
        }
        do {
            guard try await means.etcd.status(of: place.clientURL).leader == 0 else { return nil }
            return "etcd to serve after its restart: it finds no leader"
        } catch {
            return "etcd to serve after its restart: \(error)"
        }
    }

    private func hint(_ record: ClusterRecord, _ member: String) -> String {
        "see journalctl -u etcd-\(record.etcdCluster) on the machine of member \(member); members serve together only"
            + " where each trusts those who signed the others' certificates"
    }
}

extension MemberReport {
    /// What is awaited of a member; `nil` once it serves as it should.
    func awaited(as member: MemberRecord?) -> String? {
        guard let member else { return "to be taken in" }
        if data == .lost { return "its data, which is gone: to be replaced" }
        if data == .none || data == .stale || data == .foreign { return "its data" }
        guard isRunning else { return "etcd to start" }
        switch member.state {
        case .founding: return "etcd to begin"
        case .joining: return "the leader's data"
        case .voter: return isCurrent ? nil : "its turn to restart"
        }
    }
}
