// SPDX-License-Identifier: Apache-2.0

/// Everything that can be known to be wrong with a cluster before a machine exists.
///
/// - Source: kops `pkg/apis/kops/validation`.
/// - Differs: kops stops at the first error; here all are found, each with its path and remedy.
public struct ClusterCheck: Sendable {
    let cluster: Cluster
    let groups: [InstanceGroup]
    let store: String?
    let full: ClusterSpec

    /// Makes a check of a cluster with all its instance groups.
    ///
    /// - Parameters:
    ///   - cluster: What was declared.
    ///   - groups: The instance groups known so far.
    ///   - store: The store's URL, with which configBase and the like must agree; `nil` leaves that open.
    public init(cluster: Cluster, groups: [InstanceGroup], store: String?) {
        self.cluster = cluster
        self.groups = groups.sorted { $0.metadata.name < $1.metadata.name }
        self.store = store
        self.full = cluster.completed(with: groups).spec
    }

    /// What is wrong with each object and with all of them together; empty for a cluster that can run.
    public func all() -> [SpecError] {
        var errors = separate()
        let together = togetherProblems() + etcdGroupProblems()
        guard !together.isEmpty else { return errors }
        if let first = errors.first, first.subject == subject {
            errors[0] = SpecError(subject: subject, problems: first.problems + together)
        } else {
            errors.insert(SpecError(subject: subject, problems: together), at: 0)
        }
        return errors
    }

    /// What is wrong with each object, while others may still be missing.
    public func separate() -> [SpecError] {
        var errors: [SpecError] = []
        let problems =
            identityProblems() + storeProblems() + networkProblems() + subnetProblems() + settingProblems()
            + etcdProblems()
        if !problems.isEmpty { errors.append(SpecError(subject: subject, problems: problems)) }
        for group in groups {
            let problems = GroupCheck(group: group, cluster: cluster).problems()
            guard !problems.isEmpty else { continue }
            errors.append(SpecError(subject: "InstanceGroup \(group.metadata.name)", problems: problems))
        }
        return errors
    }

    private var subject: String { "Cluster \(cluster.metadata.name)" }
    private var spec: SpecPath { SpecPath("spec") }

    private func identityProblems() -> [SpecProblem] {
        var problems: [SpecProblem] = []
        if !DNSName.isClusterName(cluster.metadata.name) {
            problems.append(ClusterCheck.badName(cluster.metadata.name, at: SpecPath("metadata", "name")))
        }
        if CloudCatalog.named(full.cloudProvider) == nil {
            let refusal = CloudCatalog.refusal(of: full.cloudProvider)
            problems.append(SpecProblem(spec.key("cloudProvider"), refusal.message, remedy: refusal.remedy))
        }
        let version = full.kubernetesVersion
        let minors = KubernetesVersion.supportedMinors
        if !version.isSupported {
            problems.append(
                SpecProblem(
                    spec.key("kubernetesVersion"),
                    "Kubernetes \(version) is not supported",
                    remedy: "choose a release from 1.\(minors.lowerBound) to 1.\(minors.upperBound)"
                )
            )
        } else if full.containerRuntime?.runtime == .docker, version.standardRuntime != .docker {
            problems.append(
                SpecProblem(
                    spec.key("containerRuntime"),
                    "Kubernetes \(version) does not run on docker",
                    remedy: "write containerd, or a release before 1.\(KubernetesVersion.firstMinorWithoutDocker)"
                )
            )
        }
        return problems
    }

    /// What to say of a name that cannot be a cluster's.
    public static func badName(_ name: String, at path: SpecPath) -> SpecProblem {
        SpecProblem(
            path,
            "\"\(name)\" is no name for a cluster",
            remedy: "use a DNS name with a dot, in lower case, such as demo.example.com"
        )
    }

    private func storeProblems() -> [SpecProblem] {
        guard let store else { return [] }
        let base = "\(store)/\(cluster.metadata.name)"
        let stated = [
            ("configBase", cluster.spec.configBase, base), ("keyStore", cluster.spec.keyStore, base + "/pki"),
            ("secretStore", cluster.spec.secretStore, base + "/secrets"),
        ]
        return stated.compactMap { name, value, expected in
            guard let value, value != expected else { return nil }
            return SpecProblem(
                spec.key(name),
                "\(value) is not in the state store \(store)",
                remedy: "remove it, or write \(expected)"
            )
        }
    }

    private func settingProblems() -> [SpecProblem] {
        var problems: [SpecProblem] = []
        if let networking = cluster.spec.networking, networking.kubenet == nil {
            problems.append(
                SpecProblem(spec.key("networking"), "names no pod network", remedy: "write kubenet: {}")
            )
        }
        if let url = cluster.spec.assets?.fileRepository, !Self.isFileRepository(url) {
            problems.append(Self.badFileRepository(url, at: spec.key("assets").key("fileRepository")))
        }
        let names =
            [
                ("masterPublicName", full.masterPublicName), ("masterInternalName", full.masterInternalName),
                ("clusterDNSDomain", full.clusterDNSDomain),
            ]
        for case (let name, let value?) in names where !DNSName.isSubdomain(value) {
            problems.append(SpecProblem(spec.key(name), "\"\(value)\" is no DNS name"))
        }
        for (number, name) in cluster.spec.additionalSans.enumerated()
        where !DNSName.isSubdomain(name) {
            problems.append(
                SpecProblem(
                    spec.key("additionalSans").index(number),
                    "\"\(name)\" is neither DNS name nor IPv4 address"
                )
            )
        }
        if let replicas = full.kubeDNS?.replicas, replicas < 1 {
            problems.append(SpecProblem(spec.key("kubeDNS").key("replicas"), "must be 1 or more, found \(replicas)"))
        }
        return problems
    }

    /// Whether a URL can be a file repository: `http`, `https` with a host, or `file` with an absolute path.
    public static func isFileRepository(_ url: String) -> Bool {
        let hasPlace = ["http://", "https://", "file:///"].contains { url.hasPrefix($0) && url.count > $0.count }
        return hasPlace && !url.contains { $0.isWhitespace || "?#".contains($0) }
    }

    /// What to say of a URL that cannot be a file repository.
    public static func badFileRepository(_ url: String, at path: SpecPath) -> SpecProblem {
        SpecProblem(
            path,
            "\"\(url)\" is no URL of a file repository",
            remedy: "write http://, https:// or file:/// and where the release files are"
        )
    }
}
