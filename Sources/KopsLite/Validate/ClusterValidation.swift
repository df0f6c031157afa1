// SPDX-License-Identifier: Apache-2.0
import Clouds
import EtcdManager
import KopsModel

/// Decides whether a cluster works, from what was observed; asks nobody itself.
///
/// - Source: kops `pkg/validation/validate_cluster.go`.
/// - Differs: what the machines' agents say is part of it, so a machine that has not joined says why.
struct ClusterValidation {
    let cluster: ResolvedCluster
    let observation: ClusterObservation

    func report() -> ValidationReport {
        ValidationReport(
            problems: apiProblems() + groupProblems() + machineProblems() + nodeProblems() + agentProblems()
                + podProblems() + backupProblems(),
            warnings: agentWarnings(),
            nodes: nodes.map(\.row).sorted { $0.name < $1.name },
            backups: observation.backups.map { .init(etcdCluster: $0.etcdCluster, text: $0.text) }
        )
    }

    private func apiProblems() -> [ValidationReport.Problem] {
        var problems: [ValidationReport.Problem] = []
        if let reason = observation.cloudFailure {
            problems.append(.init(kind: "Cloud", name: cluster.cluster.spec.cloudProvider, message: reason))
        }
        if let reason = observation.apiFailure {
            problems.append(
                .init(kind: "API", name: cluster.network.apiHost, message: "the API server does not answer: \(reason)")
            )
        }
        return problems
    }

    /// Fewer machines than the group's least size.
    private func groupProblems() -> [ValidationReport.Problem] {
        guard observation.cloudFailure == nil else { return [] }
        return cluster.groups.compactMap { group in
            let name = group.metadata.name
            let count = machines(of: name).count
            guard let least = group.spec.minSize, count < least else { return nil }
            return .init(
                kind: "InstanceGroup",
                name: name,
                message: "InstanceGroup \"\(name)\" did not have enough nodes \(count) vs \(least)"
            )
        }
    }

    /// The names of a group's machines: those the cloud runs, and where it runs none of them, those that report.
    ///
    /// No cloud knows of machines that were put up by hand. A report outlives its machine, so there the node counts as well.
    func machines(of group: String) -> Set<String> {
        let launched = observation.machines.filter { $0.instanceGroup == group }.map(\.name)
        guard launched.isEmpty else { return Set(launched) }
        let reported = Set(observation.board.reports.filter { $0.instanceGroup == group }.map(\.instance))
        return observation.nodes == nil ? reported : reported.intersection(nodes.map(\.row.name))
    }

    /// Machines without a node of their name.
    private func machineProblems() -> [ValidationReport.Problem] {
        guard observation.nodes != nil else { return [] }
        let joined = Set(nodes.map(\.row.name))
        return observation.machines.filter { !joined.contains($0.name) }.map { machine in
            let state = machine.state == "running" ? "" : " (it is \(machine.state))"
            let says = observation.board.summary(of: machine.name).map { "; \($0)" } ?? "; it has not reported yet"
            return .init(
                kind: "Machine",
                name: machine.name,
                message: "machine \"\(machine.name)\" has not yet joined cluster" + state + says
            )
        }
    }

    private func nodeProblems() -> [ValidationReport.Problem] {
        nodes.filter { !$0.row.isReady }.map { node in
            let reason = node.reason.map { ": \($0)" } ?? ""
            return .init(
                kind: "Node",
                name: node.row.name,
                message: "\(node.row.role) \"\(node.row.name)\" is not ready" + reason
            )
        }
    }

    private func podProblems() -> [ValidationReport.Problem] {
        observation.pods.compactMap(PodHealth.problem(of:))
    }

    /// etcd clusters that could not be brought back as they should.
    private func backupProblems() -> [ValidationReport.Problem] {
        observation.backups.compactMap { backups in
            backups.health.fault.map { fault in
                .init(
                    kind: "Backup",
                    name: backups.etcdCluster,
                    message: "etcd \(backups.etcdCluster): \(fault); kopslite etcd backups \(cluster.name) shows all"
                )
            }
        }
    }

    private var nodes: [ObservedNode] {
        (observation.nodes ?? []).map { ObservedNode($0, machines: observation.machines) }
    }
}

/// A node as validation sees it.
struct ObservedNode {
    let row: ValidationReport.NodeRow
    /// Why it is not ready, as kubelet says.
    let reason: String?

    init(_ node: JSONValue, machines: [CloudInventory.Machine]) {
        let name = node["metadata"]?["name"]?.string ?? ""
        let labels = node["metadata"]?["labels"] ?? [:]
        let machine = machines.first { $0.name == name }
        let ready = node["status"]?["conditions"]?.array?.first { $0["type"]?.string == "Ready" }
        let isControlPlane =
            machine?.role == .controlPlane
            || ["control-plane", "master"].contains { labels["node-role.kubernetes.io/\($0)"] != nil }
        row = ValidationReport.NodeRow(
            name: name,
            zone: labels["topology.kubernetes.io/zone"]?.string ?? machine?.zone ?? "",
            role: isControlPlane ? "control-plane" : "node",
            hostname: labels["kubernetes.io/hostname"]?.string ?? name,
            isReady: ready?["status"]?.string == "True"
        )
        reason = ready?["message"]?.string ?? (ready == nil ? "it has reported no condition" : nil)
    }
}

/// Whether a pod the cluster cannot do without works.
enum PodHealth {
    private static let criticalClasses = ["system-cluster-critical", "system-node-critical"]

    /// What is wrong with a pod; `nil` when it works or does not matter.
    static func problem(of pod: JSONValue) -> ValidationReport.Problem? {
        let namespace = pod["metadata"]?["namespace"]?.string ?? ""
        let name = pod["metadata"]?["name"]?.string ?? ""
        let priority = pod["spec"]?["priorityClassName"]?.string ?? ""
        let isCritical = criticalClasses.contains(priority)
        let phase = pod["status"]?["phase"]?.string ?? "Unknown"
        guard namespace == "kube-system" || isCritical, phase != "Succeeded" else { return nil }
        guard let fault = fault(of: pod, phase: phase) else { return nil }
        return .init(
            kind: "Pod",
            name: "\(namespace)/\(name)",
            message: "\(isCritical ? priority : namespace) pod \"\(name)\" \(fault)"
        )
    }

    private static func fault(of pod: JSONValue, phase: String) -> String? {
        let statuses = pod["status"]?["containerStatuses"]?.array ?? []
        let waiting = statuses.lazy.compactMap { $0["state"]?["waiting"]?["reason"]?.string }.first
        if phase == "Pending" { return "is pending" + (waiting.map { " (\($0))" } ?? "") }
        if phase == "Failed" || phase == "Unknown" { return "is \(phase.lowercased())" }
        let unready = statuses.filter { $0["ready"] != .bool(true) }.compactMap { $0["name"]?.string }
        guard !unready.isEmpty || statuses.isEmpty else { return nil }
        let names = unready.isEmpty ? "" : " (\(unready.joined(separator: ",")))"
        return "is not ready" + names + (waiting.map { ": \($0)" } ?? "")
    }
}
