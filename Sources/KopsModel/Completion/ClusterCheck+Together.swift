// SPDX-License-Identifier: Apache-2.0

extension ClusterCheck {
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
        } else if cluster.spec.etcdClusters.isEmpty, !EtcdQuorum.sizes.contains(size) {
            problems.append(SpecProblem(top, "has \(size) machines for the control plane", remedy: EtcdQuorum.remedy))
        }
        if !groups.contains(where: { $0.spec.role.role == .node }) {
            problems.append(
                SpecProblem(top, "has no instance group for nodes", remedy: "declare an InstanceGroup with role Node")
            )
        }
        return problems
    }
}
