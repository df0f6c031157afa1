// SPDX-License-Identifier: Apache-2.0
@testable import EtcdManager

extension MembershipView {
    /// Members a, b and c of which all serve with a release, and a leads etcd.
    static func threeMembers(_ release: String, isCurrent: Bool = true) -> MembershipView {
        var record = ClusterRecord(clusterName: "c", etcdCluster: "main", id: "1", founder: "a")
        record.fence = 1
        record.release = release
        record.members = [:]
        var view = MembershipView(record: record, release: release)
        view.listed = []
        for (number, name) in ["a", "b", "c"].enumerated() {
            let id = UInt64(number + 1)
            view.record.members[name] = MemberRecord(incarnation: number + 1, state: .voter, etcdID: id)
            view.reports[name] = .of(name, .good, incarnation: number + 1, isRunning: true)
            view.reports[name]?.isCurrent = isCurrent
            view.reports[name]?.releases = ReleaseRange(release)
            view.statuses[name] = .of(id, leader: 1, release: release)
            view.listed?.append(
                EtcdMember(
                    id: id,
                    name: name,
                    peerURLs: ["https://\(name).example:2380"],
                    clientURLs: [],
                    isLearner: false
                )
            )
        }
        return view
    }
}

extension MemberReport {
    static func of(_ name: String, _ data: Data, incarnation: Int? = nil, isRunning: Bool = false) -> MemberReport {
        MemberReport(
            machine: "machine-\(name)",
            address: name,
            clientURL: name,
            data: data,
            incarnation: incarnation,
            isRunning: isRunning
        )
    }
}

extension EtcdStatus {
    static func of(_ id: UInt64, leader: UInt64, release: String = "3.5.30", revision: Int64 = 1) -> EtcdStatus {
        EtcdStatus(
            version: release,
            clusterID: 1,
            memberID: id,
            leader: leader,
            revision: revision,
            raftIndex: 1,
            raftAppliedIndex: 1,
            isLearner: false
        )
    }
}
