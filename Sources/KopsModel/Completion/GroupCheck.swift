// SPDX-License-Identifier: Apache-2.0

/// What is wrong with one instance group of a cluster.
struct GroupCheck {
    let group: InstanceGroup
    let cluster: Cluster

    func problems() -> [SpecProblem] {
        identityProblems() + sizeProblems() + placeProblems() + taintProblems() + labelProblems()
    }

    private var spec: SpecPath { SpecPath("spec") }

    private func identityProblems() -> [SpecProblem] {
        var problems: [SpecProblem] = []
        // The name plus a dash and a number is a host name, which has 63 letters at most.
        if !DNSName.isLabel(group.metadata.name) || group.metadata.name.count > 56 {
            problems.append(
                SpecProblem(
                    SpecPath("metadata", "name"),
                    "\"\(group.metadata.name)\" is no name for an instance group",
                    remedy: "use lower-case letters, digits and dashes, 56 at most"
                )
            )
        }
        let path = SpecPath("metadata", "labels").key(ObjectMeta.clusterLabel)
        if group.metadata.cluster == nil {
            problems.append(SpecProblem(path, "is missing", remedy: "write \(cluster.metadata.name)"))
        } else if let other = group.metadata.cluster, other != cluster.metadata.name {
            problems.append(SpecProblem(path, "is \(other), but the cluster is \(cluster.metadata.name)"))
        }
        return problems
    }

    private func sizeProblems() -> [SpecProblem] {
        var problems: [SpecProblem] = []
        for (name, size) in [("minSize", group.spec.minSize), ("maxSize", group.spec.maxSize)] {
            guard let size, !(0...1000).contains(size) else { continue }
            problems.append(SpecProblem(spec.key(name), "must be 0 to 1000, found \(size)"))
        }
        if let least = group.spec.minSize, let most = group.spec.maxSize, least > most {
            problems.append(SpecProblem(spec.key("minSize"), "\(least) is more than maxSize \(most)"))
        }
        return problems
    }

    private func placeProblems() -> [SpecProblem] {
        var problems: [SpecProblem] = []
        let names = cluster.spec.subnets.map(\.name)
        for (number, subnet) in group.spec.subnets.enumerated() where !names.contains(subnet) {
            problems.append(
                SpecProblem(
                    spec.key("subnets").index(number),
                    "the cluster has no subnet \"\(subnet)\"",
                    remedy: "subnets: \(names.joined(separator: ", "))"
                )
            )
        }
        let zones = cluster.spec.subnets.map(\.zone)
        for (number, zone) in group.spec.zones.enumerated() where !zones.contains(zone) {
            problems.append(
                SpecProblem(
                    spec.key("zones").index(number),
                    "the cluster has no subnet in zone \"\(zone)\"",
                    remedy: "zones: \(zones.joined(separator: ", "))"
                )
            )
        }
        return problems
    }

    private func taintProblems() -> [SpecProblem] {
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
        return group.spec.taints.enumerated().compactMap { number, taint in
            let parts = taint.split(separator: ":", omittingEmptySubsequences: false)
            let isRight =
                parts.count == 2 && !parts[0].isEmpty && parts[0].first != "=" && effects.contains(String(parts[1]))
            return isRight
                ? nil
                : SpecProblem(
                    spec.key("taints").index(number),
                    "\"\(taint)\" is no taint",
                    remedy: "write key=value:Effect, the effect one of \(effects.joined(separator: ", "))"
                )
        }
    }

    private func labelProblems() -> [SpecProblem] {
        group.spec.nodeLabels.sorted { $0.key < $1.key }.compactMap { key, value in
            let isRight = !key.isEmpty && !(key + value).contains { ",= \n\t".contains($0) } && value.count <= 63
            return isRight ? nil : SpecProblem(spec.key("nodeLabels").key(key), "\"\(key)=\(value)\" is no label")
        }
    }
}
