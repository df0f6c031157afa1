// SPDX-License-Identifier: Apache-2.0
import Crypto
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import NodeTesting
import StateStore
import SystemPackage

@testable import Nodeup

/// A worker that has converged, with what it was told sealed on it.
struct Fixture {
    static let token = "abcdef.0123456789secret0"
    static let now = Date(timeIntervalSince1970: 1_700_000_000)

    let inputs: NodeInputs
    let node: FakeNode

    init(_ instance: String = "nodes-1", address: String = "10.0.0.20") async throws {
        let inputs = Self.inputs(instance, address)
        var machine = FakeMachine()
        for (name, text) in Self.files { machine.put(text, at: NodeInputs.cache.appending(Self.digest(name))) }
        machine.repository = Dictionary(
            uniqueKeysWithValues: ["containerd", "conntrack", "ebtables", "ethtool", "iptables", "socat"].map {
                ($0, "1")
            }
        )
        machine.units["containerd.service"] = FakeMachine.Unit(vendorDefinition: "[Service]\n")
        machine.sysctls["net.ipv4.ip_forward"] = "0"
        let node = FakeNode(machine)
        try await SealedInputs(node: node).write(inputs)
        let report = try await NodeTaskGraph(try NodeGraph.tasks(for: inputs)).converge(on: node, reader: node)
        guard !report.failed else { throw Failure(.permanent, code: "fixture", report.text) }
        await node.forgetEffects()
        self.inputs = inputs
        self.node = node
    }

    private static let files = ["kubelet": "program", "cni-plugins": "bin/bridge\tprogram\n"]
    private static func digest(_ name: String) -> String {
        SHA256.hash(data: Array((files[name] ?? "").utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func inputs(_ instance: String, _ address: String) -> NodeInputs {
        NodeInputs(
            boot: BootConfig(
                store: "memory://",
                clusterName: "demo.example.com",
                instanceGroup: "nodes",
                instance: instance,
                address: address
            ),
            followed: FollowedGeneration(number: 4, manifest: "", trust: []),
            config: config,
            keysets: [:],
            bootstrapToken: token,
            apiAddresses: ["10.0.0.10"],
            facts: NodeFacts(cgroupVersion: 2, isContainer: true, conntrackWritable: false)
        )
    }

    private static var config: NodeConfig {
        NodeConfig(
            clusterName: "demo.example.com",
            instanceGroup: "nodes",
            role: .node,
            cloud: "local",
            kubernetesVersion: "1.30.6",
            containerRuntime: .containerd,
            network: NetworkConfig(
                apiHost: "api.internal.demo.example.com",
                apiPort: 443,
                podCIDR: "100.96.0.0/11",
                serviceCIDR: "100.64.0.0/13",
                apiServiceAddress: "100.64.0.1",
                dnsAddress: "100.64.0.10",
                dnsDomain: "cluster.local"
            ),
            certificateAuthorities: ["kubernetes-ca": "authority\n"],
            assets: Dictionary(
                uniqueKeysWithValues: files.keys.map { ($0, Asset(sha256: digest($0), sources: [])) }
            )
        )
    }
}
