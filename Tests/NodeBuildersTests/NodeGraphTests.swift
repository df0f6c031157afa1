// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeBuilders
import NodeOS
import PKI
import SystemPackage
import Testing

@testable import NodeTasks

private typealias Graph = NodeTaskGraph

@Suite struct NodeGraphTests {
    @Test(arguments: KubernetesRelease.supportedMinors, InstanceRole.allCases)
    func everyMinorBuilds(minor: Int, role: InstanceRole) throws {
        for runtime in ContainerRuntime.allCases where try KubernetesRelease("1.\(minor).0").supports(runtime) {
            let inputs = Samples.inputs(
                "1.\(minor).0",
                role,
                runtime,
                cgroupVersion: runtime == .docker ? 1 : 2,
                isContainer: runtime == .docker
            )
            // Ordering refuses cycles, unknown names and two tasks that make the same thing.
            #expect(try Graph(try NodeGraph.tasks(for: inputs)).ids.contains("service:kubelet.service"))
        }
    }

    @Test(arguments: InstanceRole.allCases)
    func equalInputsGiveEqualPlans(role: InstanceRole) throws {
        let texts = try (0..<2).map { _ in
            PlanText.render(try Graph(try NodeGraph.tasks(for: Samples.inputs("1.30.0", role))))
        }
        #expect(texts[0] == texts[1])
    }

    @Test(arguments: 24...36, InstanceRole.allCases)
    func dockerIsRefusedWithoutDockershim(minor: Int, role: InstanceRole) {
        let inputs = Samples.inputs("1.\(minor).0", role, .docker)
        #expect(code { try NodeGraph.tasks(for: inputs) } == "runtime-unsupported")
    }

    @Test(arguments: InstanceRole.allCases)
    func noSecretIsShown(role: InstanceRole) throws {
        let graph = try Graph(try NodeGraph.tasks(for: Samples.inputs("1.30.0", role)))
        var steps = PlanText.render(graph)
        for task in graph.tasks { steps += try shown(task) }
        for secret in Samples.secrets {
            for line in secret.split(separator: "\n") where !line.hasPrefix("---") { #expect(!steps.contains(line)) }
        }
    }

    /// What a plan prints for a machine on which nothing is there.
    private func shown(_ task: some ConvergentTask<any NodeReader, any NodeWriter>) throws -> String {
        try task.plan(from: nil).map { "\($0.change)" }.joined()
    }

    /// The order that makes a control plane quick and keeps it from waiting for what it does not need.
    @Test(arguments: [("1.20.2", ContainerRuntime.docker), ("1.36.0", .containerd)])
    func kubeletWaitsForLittle(version: String, runtime: ContainerRuntime) throws {
        let graph = try Graph(try NodeGraph.tasks(for: Samples.inputs(version, .controlPlane, runtime)))
        let needed = ancestors(of: "service:kubelet.service", in: graph)
        #expect(!needed.contains { $0.name.hasPrefix("image:") || $0.name.hasPrefix("archive:") })
        let packages = needed.filter { $0.name.hasPrefix("package:") }
        #expect(packages == [runtime == .docker ? "package:docker.io" : "package:containerd"])
        let manifest = ancestors(of: "file:/etc/kubernetes/manifests/kube-apiserver.json", in: graph)
        #expect(manifest.isSuperset(of: ["image:pause", "image:kube-apiserver"]))
        #expect(!manifest.contains("image:kube-scheduler") && !manifest.contains("service:kubelet.service"))
        #expect(!ancestors(of: "service:protokube.service", in: graph).contains("service:kubelet.service"))
    }

    @Test func onlyTheAPIServerIsAStaticPodAtFirst() throws {
        let tasks = try NodeGraph.tasks(for: Samples.inputs("1.20.2", .controlPlane, .docker))
        let manifests = tasks.map(\.id.name).filter { $0.contains("/manifests/") }.sorted()
        #expect(
            manifests == [
                "file:/etc/kubernetes/manifests/kube-apiserver.json",
                "file:/var/lib/kopslite/manifests/kube-controller-manager.json",
                "file:/var/lib/kopslite/manifests/kube-scheduler.json",
            ]
        )
        #expect(!tasks.contains { $0.id == "service:etcd.service" })
    }

    /// Once the new pair of etcd's authority signs, an API server that never read it would have lost etcd.
    @Test func whatComponentsReadOnlyOnceStartsThemAnew() throws {
        let readOnce: [String: [(keyset: String, isSigner: Bool)]] = [
            "kube-apiserver": [("etcd-clients-ca", false), ("service-account", false), ("service-account", true)],
            "kube-controller-manager": [("kubernetes-ca", false), ("service-account", true)],
            "kube-scheduler": [("kubernetes-ca", false)],
        ]
        let inputs = Samples.inputs("1.30.0", .controlPlane)
        let before = try manifests(inputs)
        for keyset in Samples.keysetNames {
            var changed = inputs
            let pair = try #require(changed.keysets[keyset]?.primaryPair)
            changed.keysets[keyset]?.pairs.append(
                Keyset.Pair(id: "2", certificate: "", publicKey: pair.publicKey, privateKey: pair.privateKey)
            )
            let trusting = try manifests(changed)
            changed.keysets[keyset]?.primary = "2"
            let signing = try manifests(changed)
            for (name, read) in readOnce {
                #expect(
                    (trusting[name] != before[name]) == read.contains { $0 == (keyset, false) },
                    "\(name) \(keyset)"
                )
                #expect(
                    (signing[name] != trusting[name]) == read.contains { $0 == (keyset, true) },
                    "\(name) \(keyset)"
                )
            }
        }
    }

    /// The static pods' manifests, by component.
    private func manifests(_ inputs: NodeInputs) throws -> [String: [UInt8]] {
        var manifests: [String: [UInt8]] = [:]
        for case let task as FileTask in try NodeGraph.tasks(for: inputs) {
            guard task.id.name.contains("/manifests/"), case .bytes(let bytes) = task.content else { continue }
            manifests[String((task.path.lastComponent?.string ?? "").dropLast(".json".count))] = bytes
        }
        return manifests
    }

    @Test func workersHoldNoAuthority() throws {
        let ids = try NodeGraph.tasks(for: Samples.inputs("1.30.0", .node)).map(\.id.name)
        #expect(!ids.contains { $0.hasPrefix("certificate:") || $0.hasSuffix(".key") || $0.contains("admin") })
        #expect(
            !ids.contains { $0.hasPrefix("image:kube-apiserver") || $0.contains("protokube") || $0.contains("etcd") }
        )
    }

    @Test(arguments: InstanceRole.allCases)
    func imagesOfTheOperatorAreImported(role: InstanceRole) throws {
        let ids = try NodeGraph.tasks(for: Samples.inputs("1.30.0", role)).map(\.id)
        #expect(ids.contains("image:page"))
    }

    @Test func aContainerLeavesTheKernelToItsHost() throws {
        let prefixes = { (isContainer: Bool) in
            let inputs = Samples.inputs("1.30.0", .node, isContainer: isContainer)
            return try NodeGraph.tasks(for: inputs).map(\.id.name)
                .filter { $0.hasPrefix("kernelModule:") || $0.hasPrefix("sysctl:") }
        }
        #expect(try prefixes(true) == ["sysctl:net.ipv4.ip_forward"])
        #expect(try prefixes(false).contains("kernelModule:br_netfilter"))
        var inputs = Samples.inputs("1.30.0", .node, isContainer: true)
        inputs.config.sysctls = ["net.core.somaxconn": "1024"]
        #expect(try NodeGraph.tasks(for: inputs).contains { $0.id == "sysctl:net.core.somaxconn" })
    }

    @Test(arguments: ["kubelet", "cni-plugins", "kubectl", "etcd", "protokube"])
    func aMissingAssetIsNamed(name: String) {
        var inputs = Samples.inputs("1.30.0", .controlPlane)
        inputs.config.assets[name] = nil
        #expect(code { try NodeGraph.tasks(for: inputs) } == "asset-missing")
    }

    /// The sample has no etcd `events`, and needs nobody to vouch for its members.
    @Test(arguments: Samples.keysetNames.filter { $0 != KeysetName.etcdPeers(of: "events") })
    func aMissingKeysetIsNamed(name: String) {
        var inputs = Samples.inputs("1.30.0", .controlPlane)
        inputs.keysets[name] = inputs.keysets[name]?.publicPart
        #expect(code { try NodeGraph.tasks(for: inputs) } == "keyset-missing")
    }

    @Test func aMissingAuthorityIsNamed() {
        var inputs = Samples.inputs("1.30.0", .node)
        inputs.config.certificateAuthorities = [:]
        #expect(code { try NodeGraph.tasks(for: inputs) } == "authority-missing")
    }

    @Test func aWorkerNeedsAnAPIServersAddress() {
        var inputs = Samples.inputs("1.30.0", .node)
        inputs.apiAddresses = []
        #expect(code { try NodeGraph.tasks(for: inputs) } == "api-address-missing")
    }

    private func ancestors(of id: TaskID, in graph: Graph) -> Set<TaskID> {
        var found: Set<TaskID> = []
        var open = [id]
        while let next = open.popLast() {
            for dependency in graph.dependencies(of: next) where found.insert(dependency).inserted {
                open.append(dependency)
            }
        }
        return found
    }
}
