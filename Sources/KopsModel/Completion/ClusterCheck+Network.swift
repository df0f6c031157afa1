// SPDX-License-Identifier: Apache-2.0

extension ClusterCheck {
    /// Networks that must lie inside or outside of each other, after defaults.
    func networkProblems() -> [SpecProblem] {
        guard let shared = full.nonMasqueradeCIDR else { return [] }
        let spec = SpecPath("spec")
        guard shared.prefix <= 20 else {
            return [
                SpecProblem(
                    spec.key("nonMasqueradeCIDR"),
                    "\(shared) is too small for pods and Services",
                    remedy: "use a prefix of 20 or less"
                )
            ]
        }
        var problems: [SpecProblem] = []
        if let machines = full.networkCIDR, machines.overlaps(shared) {
            problems.append(
                SpecProblem(
                    spec.key("networkCIDR"),
                    "\(machines) overlaps nonMasqueradeCIDR \(shared)",
                    remedy: "use another private network, such as 10.64.0.0/24"
                )
            )
        }
        for (name, network) in [("podCIDR", full.podCIDR), ("serviceClusterIPRange", full.serviceClusterIPRange)] {
            guard let network, !shared.contains(network) else { continue }
            problems.append(
                SpecProblem(spec.key(name), "\(network) lies outside nonMasqueradeCIDR \(shared)")
            )
        }
        return problems + podProblems() + serviceProblems()
    }

    private func podProblems() -> [SpecProblem] {
        guard let pods = full.podCIDR, pods.prefix > 24 else { return [] }
        return [
            SpecProblem(
                SpecPath("spec", "podCIDR"),
                "\(pods) is too small: every machine needs a /24 of it",
                remedy: "use a prefix of 24 or less"
            )
        ]
    }

    private func serviceProblems() -> [SpecProblem] {
        guard let services = full.serviceClusterIPRange else { return [] }
        let spec = SpecPath("spec")
        var problems: [SpecProblem] = []
        if services.prefix > 24 {
            problems.append(
                SpecProblem(
                    spec.key("serviceClusterIPRange"),
                    "\(services) is too small",
                    remedy: "use a prefix of 24 or less"
                )
            )
        }
        if let pods = full.podCIDR, pods.overlaps(services) {
            problems.append(
                SpecProblem(spec.key("serviceClusterIPRange"), "\(services) overlaps podCIDR \(pods)")
            )
        }
        if let dns = full.kubeDNS?.serverIP,
            !services.contains(dns) || dns <= services.base || dns == services.last
                || dns == services.address(at: 1)
        {
            problems.append(
                SpecProblem(
                    spec.key("kubeDNS").key("serverIP"),
                    "\(dns) must be an address of serviceClusterIPRange \(services) other than its first two",
                    remedy: services.address(at: 10).map { "remove it, or write \($0)" }
                )
            )
        }
        if let domain = cluster.spec.kubeDNS?.domain, let other = cluster.spec.clusterDNSDomain, domain != other {
            problems.append(
                SpecProblem(
                    spec.key("kubeDNS").key("domain"),
                    "\(domain) differs from clusterDNSDomain \(other)",
                    remedy: "remove one of them"
                )
            )
        }
        return problems
    }

    /// Subnets: there, unique, in zones that exist, inside the machines' network and apart from each other.
    func subnetProblems() -> [SpecProblem] {
        let path = SpecPath("spec", "subnets")
        let subnets = cluster.spec.subnets
        let zones = CloudCatalog.named(full.cloudProvider)?.zones
        guard !subnets.isEmpty else {
            let example = zones?.first ?? "a"
            return [SpecProblem(path, "is empty", remedy: "write - {name: \(example), zone: \(example)}")]
        }
        var problems: [SpecProblem] = []
        for (number, subnet) in subnets.enumerated() {
            let here = path.index(number)
            let before = subnets[..<number]
            if before.contains(where: { $0.name == subnet.name }) {
                problems.append(SpecProblem(here.key("name"), "\"\(subnet.name)\" is used twice"))
            }
            if let zones, !zones.contains(subnet.zone) {
                problems.append(
                    Self.unknownZone(subnet.zone, zones: zones, cloud: full.cloudProvider, at: here.key("zone"))
                )
            }
            guard let cidr = subnet.cidr else { continue }
            if let machines = full.networkCIDR, !machines.contains(cidr) {
                problems.append(SpecProblem(here.key("cidr"), "\(cidr) lies outside networkCIDR \(machines)"))
            }
            if let other = before.first(where: { $0.cidr?.overlaps(cidr) == true }) {
                problems.append(SpecProblem(here.key("cidr"), "\(cidr) overlaps that of subnet \(other.name)"))
            }
        }
        return problems
    }

    /// What to say of a zone that a cloud does not have.
    public static func unknownZone(_ zone: String, zones: [String], cloud: String, at path: SpecPath) -> SpecProblem {
        let near = Spelling.nearest(to: zone, in: zones)
        return SpecProblem(
            path,
            "the cloud \(cloud) has no zone \"\(zone)\"",
            remedy: (near.map { "did you mean \($0)? " } ?? "") + "zones: \(zones.joined(separator: ", "))"
        )
    }
}
