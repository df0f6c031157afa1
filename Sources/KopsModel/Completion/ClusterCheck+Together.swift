// SPDX-License-Identifier: Apache-2.0

extension ClusterCheck {
    /// Why a second machine of the control plane is refused.
    static let noHighAvailability = "etcd on more than one machine is not supported by this version"

    /// The etcd clusters by themselves.
    func etcdProblems() -> [SpecProblem] {
        let path = SpecPath("spec", "etcdClusters")
        var problems: [SpecProblem] = []
        for (number, etcd) in cluster.spec.etcdClusters.enumerated() {
            let here = path.index(number)
            switch etcd.name {
            case "main" where cluster.spec.etcdClusters[..<number].contains { $0.name == "main" }:
                problems.append(SpecProblem(here.key("name"), "\"main\" is used twice"))
            case "main": break
            case "events":
                problems.append(
                    SpecProblem(
                        here,
                        "an etcd cluster for events is not supported",
                        remedy: "main holds events too, remove it"
                    )
                )
            default:
                problems.append(
                    SpecProblem(here.key("name"), "\"\(etcd.name)\" is no etcd cluster", remedy: "the only one is main")
                )
            }
            problems += memberProblems(of: etcd, at: here)
            if let version = etcd.version, !Self.isEtcdVersion(version) {
                problems.append(
                    SpecProblem(
                        here.key("version"),
                        "etcd \(version) is not supported",
                        remedy: "write a release from 3.4 on, such as \(Cluster.standardEtcdVersion)"
                    )
                )
            }
        }
        if !cluster.spec.etcdClusters.isEmpty, !cluster.spec.etcdClusters.contains(where: { $0.name == "main" }) {
            problems.append(SpecProblem(path, "has no main", remedy: "add it, or remove etcdClusters"))
        }
        return problems
    }

    private func memberProblems(of etcd: EtcdClusterSpec, at here: SpecPath) -> [SpecProblem] {
        let path = here.key("etcdMembers")
        var problems: [SpecProblem] = []
        if etcd.etcdMembers.isEmpty { problems.append(SpecProblem(path, "is empty", remedy: "name one member")) }
        if etcd.etcdMembers.count > 1 {
            problems.append(SpecProblem(path, Self.noHighAvailability, remedy: "name one member"))
        }
        for (number, member) in etcd.etcdMembers.enumerated() {
            if !DNSName.isLabel(member.name) {
                problems.append(SpecProblem(path.index(number).key("name"), "\"\(member.name)\" is no DNS label"))
            }
            if let size = member.volumeSize, !(1...16_384).contains(size) {
                problems.append(
                    SpecProblem(path.index(number).key("volumeSize"), "must be 1 to 16384 GiB, found \(size)")
                )
            }
        }
        return problems
    }

    private static func isEtcdVersion(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let major = parts[0], let minor = parts[1], parts[2] != nil else { return false }
        return major == 3 && minor >= 4
    }

    /// etcd's members against the instance groups.
    func etcdGroupProblems() -> [SpecProblem] {
        var problems: [SpecProblem] = []
        for (number, etcd) in cluster.spec.etcdClusters.enumerated() {
            for (place, member) in etcd.etcdMembers.enumerated() {
                let path = SpecPath("spec", "etcdClusters").index(number).key("etcdMembers").index(place)
                    .key("instanceGroup")
                let group = groups.first { $0.metadata.name == member.instanceGroup }
                if group == nil {
                    let near = Spelling.nearest(to: member.instanceGroup, in: groups.map(\.metadata.name))
                    problems.append(
                        SpecProblem(
                            path,
                            "there is no instance group \"\(member.instanceGroup)\"",
                            remedy: near.map { "did you mean \($0)?" }
                        )
                    )
                } else if group?.spec.role.role != .controlPlane {
                    problems.append(
                        SpecProblem(path, "the instance group \(member.instanceGroup) is not of the control plane")
                    )
                }
            }
        }
        return problems
    }

    /// The instance groups as a whole.
    func togetherProblems() -> [SpecProblem] {
        var problems: [SpecProblem] = []
        let top = SpecPath()
        for (index, group) in groups.enumerated()
        where groups[..<index].contains(where: { $0.metadata.name == group.metadata.name }) {
            problems.append(SpecProblem(top, "has two instance groups named \(group.metadata.name)"))
        }
        let control = groups.filter { $0.spec.role.role == .controlPlane }
        let size = control.compactMap { $0.completed(in: cluster).spec.maxSize }.reduce(0, +)
        if size == 0 {
            problems.append(
                SpecProblem(
                    top,
                    "has no machine for the control plane",
                    remedy: "declare an InstanceGroup with role ControlPlane and minSize and maxSize 1"
                )
            )
        } else if size > 1 {
            problems.append(
                SpecProblem(
                    top,
                    Self.noHighAvailability,
                    remedy: "declare one InstanceGroup with role ControlPlane of size 1"
                )
            )
        }
        if !groups.contains(where: { $0.spec.role.role == .node }) {
            problems.append(
                SpecProblem(top, "has no instance group for nodes", remedy: "declare an InstanceGroup with role Node")
            )
        }
        return problems
    }
}
