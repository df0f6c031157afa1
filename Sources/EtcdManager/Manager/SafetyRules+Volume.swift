// SPDX-License-Identifier: Apache-2.0

extension SafetyRules {
    /// What keeps data on a volume from being replaced by nothing.
    static let volumeRules: [Rule] = [
        Rule(name: "format-only-blank") { act in
            guard case .format(let sight, let member, _) = act, sight.volume != .blank else { return nil }
            return "the volume of member \(member) is not blank"
        },
        Rule(name: "format-only-when-called") { act in
            guard case .format(_, let member, let record?) = act else { return nil }
            if record.members[member]?.state == .joining { return nil }
            if case .restore(let restore)? = record.operation, restore.founder == member { return nil }
            return "the volume of member \(member) is blank, and the cluster has data that belongs on it"
        },
        Rule(name: "begin-only-once") { act in
            guard case .begin(let spec, _, _, let record?, _, _) = act else { return nil }
            return "etcd \(spec.clusterName)/\(spec.etcdCluster) was begun as \(record.id)"
        },
        Rule(name: "begin-never-beside-backups") { act in
            guard case .begin(let spec, _, _, _, true, _) = act else { return nil }
            return "the store holds backups of etcd \(spec.clusterName)/\(spec.etcdCluster), so it has existed;"
                + " restore one of them"
        },
        Rule(name: "begin-never-on-data") { act in
            guard case .begin(_, let member, let sight, _, _, _) = act else { return nil }
            guard sight.hasData || sight.note?.initialised == true else { return nil }
            return "the volume of member \(member) holds data, and the store does not know whose"
        },
        Rule(name: "set-aside-only-replaced") { act in
            guard case .setAside(let member, let sight, let record) = act, let note = sight.note else { return nil }
            guard note.isOf(member, in: record) else { return nil }
            return "the volume of member \(member) holds the data that the cluster counts on"
        },
        Rule(name: "set-aside-only-known") { act in
            guard case .setAside(let member, let sight, let record) = act, sight.hasData else { return nil }
            guard let note = sight.note, note.isOf(record) else {
                return "the volume of member \(member) holds data of another cluster, or of nobody known"
            }
            return nil
        },
    ]

    /// What keeps etcd from starting on the wrong data, or on none where some is owed.
    static let startRules: [Rule] = [
        Rule(name: "start-only-own-data") { act in
            guard case .start(_, let member, let sight, let record) = act else { return nil }
            guard let note = sight.note, note.isOf(record), note.epoch == record.epoch else {
                return "the volume of member \(member) does not hold data of the cluster as it is now"
            }
            guard note.isOf(member, in: record) else {
                return "the volume holds data of incarnation \(note.incarnation) of member \(note.member), which has been"
                    + " replaced"
            }
            return nil
        },
        Rule(name: "start-never-emptied") { act in
            guard case .start(_, let member, let sight, _) = act else { return nil }
            guard sight.note?.initialised == true, !sight.hasData else { return nil }
            return "the data of member \(member) is gone from its volume"
        },
        Rule(name: "vote-only-with-data") { act in
            guard case .start(_, let member, let sight, let record) = act else { return nil }
            guard record.members[member]?.state == .voter, !sight.hasData else { return nil }
            return "member \(member) has a vote and no data"
        },
        Rule(name: "found-only-as-founder") { act in
            guard case .start(let start, let member, let sight, let record) = act, start.state == .new else { return nil }
            if record.members[member]?.state == .founding, record.members.count == 1, !sight.hasData { return nil }
            return "member \(member) is to begin a cluster that is begun"
        },
        Rule(name: "start-unrecorded-only-alone") { act in
            guard case .startUnrecorded(let note, let hasData) = act else { return nil }
            if note.initialised, note.alone, hasData { return nil }
            return "the store cannot be read, and member \(note.member) must know that it has not been replaced"
        },
    ]
}
