// SPDX-License-Identifier: Apache-2.0

extension SafetyRules {
    /// What keeps data on a volume from being replaced by nothing.
    static let volumeRules: [Rule] = [
        Rule(name: "begin-never-beside-backups") { act in
            guard case .begin(let spec, _, _, true) = act else { return nil }
            return "the store holds backups of etcd \(spec.clusterName)/\(spec.etcdCluster), so it has existed;"
                + " restore one of them"
        },
        Rule(name: "begin-never-on-data") { act in
            guard case .begin(_, let member, let sight, _) = act else { return nil }
            guard sight.hasData || sight.note?.initialised == true else { return nil }
            return "the volume of member \(member) holds data, and the store does not know whose"
        },
        Rule(name: "format-only-blank") { act in
            guard case .format(let sight, let member) = act, sight.volume != .blank else { return nil }
            return "the volume of member \(member) is not blank"
        },
        Rule(name: "prepare-only-who-has-no-vote") { act in
            guard case .prepare(let member, _, let sight, let record) = act else { return nil }
            if sight.note?.isOf(member, in: record) == true {
                return "the volume of member \(member) holds the data that the cluster counts on, or did"
            }
            if case .restore(let restore)? = record.operation, restore.founder == member { return nil }
            if record.members[member]?.state == .joining { return nil }
            return "the cluster counts on data of member \(member) that is not on its volume"
        },
        Rule(name: "prepare-only-whose-turn-it-is") { act in
            guard case .prepare(let member, let machine, _, let record) = act,
                let chosen = record.members[member]?.machine, chosen != machine
            else { return nil }
            return "member \(member) joins from machine \(chosen), which has a volume of its name, too"
        },
        Rule(name: "prepare-only-known-data") { act in
            guard case .prepare(let member, _, let sight, let record) = act, sight.hasData else { return nil }
            if sight.note?.isOf(record) == true { return nil }
            return "the volume of member \(member) holds data of another cluster, or of nobody known"
        },
    ]

    /// What keeps etcd from starting on the wrong data, or on none where some is owed.
    static let startRules: [Rule] = [
        Rule(name: "start-only-own-data") { act in
            guard case .start(_, let member, let sight, let record) = act else { return nil }
            if sight.note?.isOf(member, in: record) == true { return nil }
            return "the volume of member \(member) does not hold the data that the cluster counts on"
        },
        Rule(name: "start-never-emptied") { act in
            guard case .start(_, let member, let sight, let record) = act, !sight.hasData else { return nil }
            guard sight.note?.initialised == true || record.members[member]?.state == .voter else { return nil }
            return "the data of member \(member) is gone from its volume"
        },
        Rule(name: "found-only-as-founder") { act in
            guard case .start(.new, let member, _, let record) = act else { return nil }
            if record.members[member]?.state == .founding { return nil }
            return "member \(member) joins a cluster, and begins none"
        },
        Rule(name: "start-unrecorded-only-alone") { act in
            guard case .startUnrecorded(let note, _) = act, !note.alone else { return nil }
            return "the store cannot be read, and member \(note.member) must know that it has not been replaced"
        },
        Rule(name: "start-unrecorded-only-served") { act in
            guard case .startUnrecorded(let note, let hasData) = act else { return nil }
            if note.initialised, hasData { return nil }
            return "the store cannot be read, and member \(note.member) has not served from its volume"
        },
    ]
}
