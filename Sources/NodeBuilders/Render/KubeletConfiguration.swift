// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import SystemPackage

/// kubelet's configuration file, with each field only where the release has it: of an unknown one kubelet warns and
/// does without what it says.
///
/// - Shape: `kubelet.config.k8s.io/v1beta1` KubeletConfiguration, for all supported releases.
struct KubeletConfiguration: Sendable {
    let document: JSONValue

    init(_ context: NodeContext) throws {
        let release = context.release
        var document = Self.base(context)
        if context.isControlPlane { document["staticPodPath"] = .string(NodePaths.manifests.string) }
        if release.configuresRuntimeEndpoint {
            document["containerRuntimeEndpoint"] = .string(NodePaths.containerdSocket)
        }
        if release.configuresTaints, !context.config.taints.isEmpty {
            document["registerWithTaints"] = .array(try context.config.taints.map(Self.taint))
        }
        if release.configuresFailCgroupV1, context.facts.cgroupVersion == 1 { document["failCgroupV1"] = false }
        if context.facts.isContainer {
            // Swap and disks belong to the host: what it has left says nothing of what this machine uses.
            document["failSwapOn"] = false
            document["imageGCHighThresholdPercent"] = 100
            document["evictionHard"] = ["imagefs.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%"]
        }
        self.document = document
    }

    private static func base(_ context: NodeContext) -> JSONValue {
        let authentication: JSONValue = [
            "anonymous": ["enabled": false],
            "webhook": ["enabled": true],
            "x509": ["clientCAFile": .string(NodePaths.authority.string)],
        ]
        return [
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": authentication,
            "authorization": ["mode": "Webhook"],
            "cgroupDriver": .string(context.cgroupDriver),
            "clusterDNS": [.string(context.network.dnsAddress)],
            "clusterDomain": .string(context.network.dnsDomain),
            // A node that became ready says so this much later at most. Unchanged, it reports every 5 minutes, which has
            // to be said, for the one period is the other's default.
            "nodeStatusUpdateFrequency": "4s",
            "nodeStatusReportFrequency": "5m0s",
            "rotateCertificates": true,
            "serializeImagePulls": false,
        ]
    }

    /// A taint `key=value:Effect` or `key:Effect` as a v1 Taint.
    private static func taint(_ text: String) throws -> JSONValue {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let left = parts[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !left[0].isEmpty, ["NoExecute", "NoSchedule", "PreferNoSchedule"].contains(parts[1])
        else {
            throw Failure(
                .permanent,
                code: "taint-invalid",
                "cannot register a node with the taint '\(text)'",
                hint: "write it as key=value:NoSchedule, key=value:PreferNoSchedule or key=value:NoExecute"
            )
        }
        var taint: JSONValue = ["key": .string(String(left[0])), "effect": .string(String(parts[1]))]
        if left.count == 2, !left[1].isEmpty { taint["value"] = .string(String(left[1])) }
        return taint
    }
}
