// SPDX-License-Identifier: Apache-2.0
import AddonManager
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTesting
import StateStore
import SystemPackage

@testable import Protokube

/// A control-plane machine of a cluster in a memory store.
struct Fixture: Sendable {
    static let token = "abcdef.0123456789abcdef"
    let node = FakeNode()
    let store = MemoryStore()
    let outage = Handover<Bool>()

    var nodeState: NodeState { NodeState(node: node) }
    var layout: ClusterLayout { ClusterLayout(clusterName: Bench.boot.clusterName) }
    var clusterState: ClusterState {
        ClusterState(
            boot: Bench.boot,
            open: { [store, outage] in
                if outage.value == true { throw StoreError.unavailable(url: "memory://", reason: "unplugged") }
                return store
            }
        )
    }
    var source: AddonSource { AddonSource(nodeState: nodeState, clusterState: clusterState) }

    /// The key every generation is signed with.
    static let signingKey = SigningKey(notAfter: .distantFuture)

    static func config(addons: [String] = ["bootstrap", "kube-dns"]) -> NodeConfig {
        NodeConfig(
            clusterName: Bench.boot.clusterName,
            instanceGroup: Bench.boot.instanceGroup,
            role: .controlPlane,
            cloud: "local",
            kubernetesVersion: "1.20.2",
            containerRuntime: .docker,
            network: NetworkConfig(
                apiHost: "api.internal.demo.example.com",
                apiPort: 443,
                podCIDR: "100.96.0.0/11",
                serviceCIDR: "100.64.0.0/13",
                apiServiceAddress: "100.64.0.1",
                dnsAddress: "100.64.0.10",
                dnsDomain: "cluster.local"
            ),
            certificateAuthorities: [:],
            assets: [:],
            nodeLabels: ["team": "blue", "node-role.kubernetes.io/extra": "yes"],
            controlPlane: ControlPlaneConfig(
                etcdClusters: [EtcdClusterConfig(name: "main", version: "3.4.23", members: ["a"])],
                apiServerNames: [],
                addons: addons
            )
        )
    }

    func seal(_ config: NodeConfig = config(), token: String = token) async throws {
        let inputs = NodeInputs(
            boot: Bench.boot,
            followed: FollowedGeneration(number: 0, manifest: "", trust: [Self.signingKey.trusted]),
            config: config,
            keysets: [:],
            bootstrapToken: token,
            apiAddresses: ["10.3.0.2"],
            facts: NodeFacts(cgroupVersion: 1, isContainer: true, conntrackWritable: false)
        )
        let bytes = try JSONEncoder().encode(inputs)
        await node.change { $0.put(String(decoding: bytes, as: UTF8.self), at: NodeInputs.path, mode: 0o600) }
    }

    @discardableResult
    func publish(addons: [String], previous: PublishedHead? = nil) async throws -> PublishedHead {
        let number = (previous?.head.generation ?? 0) + 1
        var objects = [
            "nodes/\(Bench.boot.instanceGroup).json": try [UInt8](JSONEncoder().encode(Self.config(addons: addons)))
        ]
        for name in addons {
            let object: JSONValue = [
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)],
                "data": ["generation": .string("\(number)")],
            ]
            objects["addons/\(name).json"] = try JSONValue.array([object]).encoded()
        }
        return try await GenerationWriter(
            store: store,
            layout: layout,
            signers: [Self.signingKey],
            author: "test@host"
        ).publish(objects: objects, previous: previous, message: "test", now: Date(timeIntervalSince1970: 0))
    }
}

/// An API server in memory.
actor FakeAPI: ControlPlaneAPI {
    private(set) var applied: [JSONValue] = []
    private(set) var nodes: [String: [String: String]] = [:]
    private var refused: Set<String> = []

    func refuse(_ names: Set<String>) { refused = names }
    func register(_ node: String) { nodes[node] = ["team": "blue"] }
    func forget() { applied = [] }
    var names: [String] { applied.compactMap { $0["metadata"]?["name"]?.string } }

    func ready() {}
    func apply(_ object: JSONValue) throws -> Bool {
        if refused.contains(object["metadata"]?["name"]?.string ?? "") { throw AddonError.permanent("refused") }
        applied.append(object)
        return true
    }
    func labels(ofNode name: String) -> [String: String]? { nodes[name] }
    func label(node name: String, _ labels: [String: String]) { nodes[name]?.merge(labels) { _, new in new } }
}

/// Hears nothing.
struct Deaf: StepObserver {
    func progress(_ activity: String) {}
    func partBegan(_ name: String) {}
    func partEnded(_ name: String) {}
}
