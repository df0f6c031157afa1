// SPDX-License-Identifier: Apache-2.0

/// How many members an etcd cluster may have.
public enum EtcdQuorum {
    /// Odd numbers: a majority of an even number is as many losses from its end as that of one member less.
    public static let sizes = [1, 3, 5]

    /// What to do about another number.
    public static let remedy = "choose 1, 3 or 5: an even number outlives no more losses than one fewer"
}

extension ClusterCheck {
    /// The etcd clusters by themselves.
    func etcdProblems() -> [SpecProblem] {
        let path = SpecPath("spec", "etcdClusters")
        var problems: [SpecProblem] = []
        for (number, etcd) in cluster.spec.etcdClusters.enumerated() {
            let here = path.index(number)
            let isRepeated = cluster.spec.etcdClusters[..<number].contains { $0.name == etcd.name }
            problems += nameProblems(of: etcd, isRepeated: isRepeated, at: here.key("name"))
            problems += memberProblems(of: etcd, at: here.key("etcdMembers"))
            problems += versionProblems(of: etcd, at: here.key("version"))
            problems += backupProblems(of: etcd, at: here.key("backups"))
        }
        if !cluster.spec.etcdClusters.isEmpty, main == nil {
            problems.append(SpecProblem(path, "has no main", remedy: "add it, or remove etcdClusters"))
        }
        return problems
    }

    private var main: EtcdClusterSpec? { full.etcdClusters.first { $0.name == EtcdClusterConfig.names[0] } }

    private func nameProblems(of etcd: EtcdClusterSpec, isRepeated: Bool, at path: SpecPath) -> [SpecProblem] {
        if isRepeated { return [SpecProblem(path, "\"\(etcd.name)\" is used twice")] }
        guard !EtcdClusterConfig.names.contains(etcd.name) else { return [] }
        let remedy = "there may be \(EtcdClusterConfig.names.joined(separator: " and "))"
        return [SpecProblem(path, "\"\(etcd.name)\" is no etcd cluster", remedy: remedy)]
    }

    private func memberProblems(of etcd: EtcdClusterSpec, at path: SpecPath) -> [SpecProblem] {
        let members = etcd.etcdMembers
        guard !members.isEmpty else { return [SpecProblem(path, "is empty", remedy: "name 1, 3 or 5 members")] }
        var problems: [SpecProblem] = []
        if !EtcdQuorum.sizes.contains(members.count) {
            problems.append(SpecProblem(path, "has \(members.count) members", remedy: EtcdQuorum.remedy))
        }
        for (number, member) in members.enumerated() {
            let here = path.index(number)
            if !DNSName.isLabel(member.name) {
                problems.append(SpecProblem(here.key("name"), "\"\(member.name)\" is no DNS label"))
            } else if members[..<number].contains(where: { $0.name == member.name }) {
                problems.append(SpecProblem(here.key("name"), "\"\(member.name)\" is used twice"))
            }
            if let size = member.volumeSize, !(1...16_384).contains(size) {
                problems.append(SpecProblem(here.key("volumeSize"), "must be 1 to 16384 GiB, found \(size)"))
            }
            guard let other = members[..<number].first(where: { $0.instanceGroup == member.instanceGroup }) else {
                continue
            }
            problems.append(
                SpecProblem(
                    here.key("instanceGroup"),
                    "the members \(other.name) and \(member.name) would share the machine of \(member.instanceGroup)",
                    remedy: "declare an InstanceGroup with role ControlPlane of size 1 for each member"
                )
            )
        }
        return problems
    }

    /// Backups have one place, which may be stated.
    private func backupProblems(of etcd: EtcdClusterSpec, at path: SpecPath) -> [SpecProblem] {
        guard let store, let stated = etcd.backups?.backupStore else { return [] }
        let expected = "\(store)/\(cluster.metadata.name)/etcd/\(etcd.name)/backups"
        guard stated != expected else { return [] }
        return [
            SpecProblem(
                path.key("backupStore"),
                "\(stated) is not where backups are kept",
                remedy: "they are kept in the state store: remove it, or write \(expected)"
            )
        ]
    }

    private func versionProblems(of etcd: EtcdClusterSpec, at path: SpecPath) -> [SpecProblem] {
        if let version = etcd.version, EtcdVersion(version)?.isSupported != true {
            return [
                SpecProblem(
                    path,
                    "etcd \(version) is not supported",
                    remedy: "write a release from 3.4 on, such as \(Cluster.standardEtcdVersion)"
                )
            ]
        }
        let version = etcd.version ?? Cluster.standardEtcdVersion
        guard let other = main?.version, other != version else { return [] }
        return [
            SpecProblem(
                path,
                "\(etcd.name) has etcd \(version), but main has \(other)",
                remedy: "write the same release for both, since one program serves both on each machine"
            )
        ]
    }

    /// etcd's members against the instance groups.
    func etcdGroupProblems() -> [SpecProblem] {
        let path = SpecPath("spec", "etcdClusters")
        var problems: [SpecProblem] = []
        for (number, etcd) in cluster.spec.etcdClusters.enumerated() {
            let members = path.index(number).key("etcdMembers")
            for (place, member) in etcd.etcdMembers.enumerated() {
                problems += groupProblems(of: member, at: members.index(place).key("instanceGroup"))
            }
            let named = Set(etcd.etcdMembers.map(\.instanceGroup))
            let left = controlPlaneGroups.filter { $0.size > 0 && !named.contains($0.name) }
            problems += left.map { group in
                SpecProblem(
                    members,
                    "names no member for the control-plane instance group \(group.name)",
                    remedy:
                        "add a member, or remove the group: every control-plane machine runs one of each etcd cluster"
                )
            }
        }
        return problems
            + controlPlaneGroups.filter { $0.size > 1 }.map { group in
                SpecProblem(
                    SpecPath(),
                    "has \(group.size) machines in the control-plane instance group \(group.name)",
                    remedy: "declare an InstanceGroup with role ControlPlane of size 1 for each etcd member"
                )
            }
    }

    private var controlPlaneGroups: [(name: String, size: Int)] {
        groups.filter { $0.spec.role.role == .controlPlane }.map {
            ($0.metadata.name, $0.completed(in: cluster).spec.maxSize ?? 1)
        }
    }

    private func groupProblems(of member: EtcdMemberSpec, at path: SpecPath) -> [SpecProblem] {
        guard let group = groups.first(where: { $0.metadata.name == member.instanceGroup }) else {
            let near = Spelling.nearest(to: member.instanceGroup, in: groups.map(\.metadata.name))
            return [
                SpecProblem(
                    path,
                    "there is no instance group \"\(member.instanceGroup)\"",
                    remedy: near.map { "did you mean \($0)?" }
                )
            ]
        }
        guard group.spec.role.role != .controlPlane else { return [] }
        return [SpecProblem(path, "the instance group \(member.instanceGroup) is not of the control plane")]
    }
}
