// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// What a restore would do, for a person to look at first.
struct RestorePlan {
    let chosen: StoredBackup
    let members: [String]
    let lost: [String]
    /// `nil`: the record is lost, and with it who could be asked for what etcd holds now.
    let record: ClusterRecord?

    /// The steps, with the quorum before and after each.
    func rows() -> [[String]] {
        let voters = record.map { "\($0.voters.count) voters" } ?? "unknown"
        let stopping = members.filter { !lost.contains($0) }
        var steps = [
            ["back up what etcd holds, where a member answers", voters, "as before"],
            [
                "stop \(stopping.isEmpty ? "whoever answers" : stopping.joined(separator: ", "))", voters,
                "none: etcd is down",
            ],
            ["lay backup \(chosen.name) on one of them\(epoch)", "none", "none"],
            ["start it: revisions go on above those of before", "none", "1 of 1"],
        ]
        if record == nil { steps.removeFirst() }
        for number in members.indices.dropFirst() {
            steps.append([
                "the next member joins empty, and gets its vote", "\(number) voter\(number == 1 ? "" : "s")",
                "\(number + 1) voters",
            ])
        }
        return steps.enumerated().map { ["\($0 + 1)"] + $1 }
    }

    private var epoch: String { record.map { ", as epoch \($0.epoch + 1)" } ?? "" }

    /// What a person should know besides.
    func remarks() -> [String] {
        var remarks: [String] = []
        if chosen.standing == .unproven {
            remarks.append(
                "backup \(chosen.name) was never tried by a restore: should it be damaged, choose another one then"
            )
        }
        if case .restore(let restore)? = record?.operation {
            remarks.append("a restore of \(restore.backup) is under way; this one would take its place")
        }
        if record == nil {
            remarks.append("the record of who the members are is lost; it is made anew from their reports")
        }
        return remarks
    }
}
