// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import Testing

/// What people are told of an alarm.
@Suite struct EtcdAlarmTests {
    @Test(arguments: [
        ("NOSPACE", "etcd-alarm-nospace", "defrag"), ("CORRUPT", "etcd-alarm-corrupt", "kopslite etcd restore"),
        ("OTHER", "etcd-alarm-other", "alarm disarm"),
    ])
    func itNamesTheMemberAndTheRemedy(_ kind: String, _ code: String, _ remedy: String) {
        var record = ClusterRecord(clusterName: "a.example.com", etcdCluster: "main", id: "0", founder: "a")
        record.members["b"] = MemberRecord(incarnation: 2, state: .voter, etcdID: 0xB0B)
        let failure = EtcdAlarm(memberID: 0xB0B, kind: kind).failure(in: record)
        #expect(failure.code == code && failure.kind == .permanent)
        #expect(failure.message.contains("member b of etcd a.example.com/main has raised the alarm \(kind)"))
        #expect(failure.hint?.contains(remedy) == true)
        #expect(EtcdAlarm(memberID: 0xDEAD, kind: kind).failure(in: record).message.contains("the member dead"))
    }
}
