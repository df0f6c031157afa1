// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Testing

@Suite("Defaults")
struct CompletionTests {
    private func completed(_ changes: [(path: [String], value: JSONValue)] = []) throws -> (Cluster, [InstanceGroup]) {
        let document = changes.reduce(Sample.cluster) { Sample.changed($0, $1.path, to: $1.value) }
        let groups = try Sample.groups.map { try InstanceGroup(document: $0) }
        return (try Cluster(document: document).completed(with: groups), groups)
    }

    @Test("a small cluster with every default filled in")
    func golden() throws {
        let (cluster, _) = try completed()
        try expectGolden(String(decoding: try cluster.document.encoded(), as: UTF8.self), "completed-small.json")
    }

    @Test("a release without dockershim gets containerd, another network gets other addresses")
    func goldenChanged() throws {
        let (cluster, _) = try completed([
            (["spec", "kubernetesVersion"], "1.30.1"), (["spec", "nonMasqueradeCIDR"], "10.128.0.0/9"),
        ])
        try expectGolden(String(decoding: try cluster.document.encoded(), as: UTF8.self), "completed-changed.json")
    }

    @Test("completing twice changes nothing more")
    func idempotent() throws {
        let (cluster, groups) = try completed()
        #expect(cluster.completed(with: groups) == cluster)
        for group in groups {
            let once = group.completed(in: cluster)
            #expect(once.completed(in: cluster) == once)
        }
    }

    @Test("pods and Services lie apart in the shared network", arguments: [8, 10, 12, 16, 20])
    func networks(prefix: Int) throws {
        let shared = IPv4CIDR(containing: try #require(IPv4Address("100.64.0.0")), prefix: prefix)
        let (cluster, _) = try completed([(["spec", "nonMasqueradeCIDR"], .string(shared.description))])
        let pods = try #require(cluster.spec.podCIDR)
        let services = try #require(cluster.spec.serviceClusterIPRange)
        #expect(shared.contains(pods) && shared.contains(services) && !pods.overlaps(services))
        #expect(services.contains(try #require(cluster.spec.kubeDNS?.serverIP)))
    }

    @Test(
        "members of etcd get the shortest names that tell them apart",
        arguments: [
            (["control-plane-local-a"], ["a"]), (["master-us-test-1a", "master-us-test-1b"], ["a", "b"]),
            (["control-plane-a", "control-plane-ab"], ["a", "ab"]), (["x"], ["x"]), ([], []),
            (["control-plane-local-a-1", "control-plane-local-a-2"], ["1", "2"]),
        ] as [([String], [String])]
    )
    func memberNames(groups: [String], names: [String]) { #expect(ClusterSpec.memberNames(of: groups) == names) }
}

@Suite("Resolved clusters")
struct ResolvedClusterTests {
    private func resolve(
        _ cluster: JSONValue = Sample.cluster,
        _ groups: [JSONValue] = Sample.groups
    ) throws
        -> ResolvedCluster
    {
        try ResolvedCluster(
            Cluster(document: cluster),
            groups: groups.map { try InstanceGroup(document: $0) },
            store: "file:///store"
        )
    }

    @Test("machines are dealt to zones in turn and numbered from 1")
    func machines() throws {
        let machines = try resolve().machines
        #expect(machines.map(\.name) == ["control-plane-local-a-1", "nodes-1", "nodes-2", "nodes-3"])
        #expect(machines.map(\.zone) == ["local-a", "local-a", "local-b", "local-a"])
    }

    @Test("addresses follow kops")
    func network() throws {
        let network = try resolve().network
        #expect(network.podCIDR == "100.96.0.0/11" && network.serviceCIDR == "100.64.0.0/13")
        #expect(network.apiServiceAddress == "100.64.0.1" && network.dnsAddress == "100.64.0.10")
        #expect(network.apiHost == "api.internal.demo.example.com")
    }

    @Test("a group's kubelet flags go over the control plane's, and these over the cluster's")
    func flags() throws {
        var cluster = Sample.changed(
            Sample.cluster,
            ["spec", "kubelet"],
            to: [
                "maxPods": 10, "registryBurst": 1, "readOnlyPort": 0, "systemReserved": ["memory": "1Gi", "cpu": "1"],
            ]
        )
        cluster = Sample.changed(cluster, ["spec", "controlPlaneKubelet"], to: ["maxPods": 20, "registryBurst": 2])
        cluster = Sample.changed(cluster, ["spec", "kubeAPIServer"], to: ["enableAdmissionPlugins": ["A", "B"]])
        var groups = Sample.groups
        groups[0] = Sample.changed(groups[0], ["spec", "kubelet"], to: ["maxPods": 30])
        let resolved = try resolve(cluster, groups)
        let control = resolved.flags(for: resolved.groups[0])
        #expect(
            control["kubelet"] == [
                "max-pods": "30", "registry-burst": "2", "read-only-port": "0", "system-reserved": "cpu=1,memory=1Gi",
            ]
        )
        #expect(control["kube-apiserver"] == ["enable-admission-plugins": "A,B"])
        let nodes = resolved.flags(for: resolved.groups[1])
        #expect(nodes["kubelet"]?["max-pods"] == "10" && nodes["kube-apiserver"] == nil)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var path: [String]
        var value: JSONValue?
        var line: String
        var testDescription: String { line }
    }

    static let clusterCases = [
        Case(
            path: ["metadata", "name"],
            value: "Demo",
            line: "metadata.name: \"Demo\" is no name for a cluster; "
                + "use a DNS name with a dot, in lower case, such as demo.example.com"
        ),
        Case(
            path: ["spec", "cloudProvider"],
            value: "aws",
            line: "spec.cloudProvider: the cloud aws is not supported by this version; supported: local"
        ),
        Case(
            path: ["spec", "cloudProvider"],
            value: "locl",
            line: "spec.cloudProvider: \"locl\" is no cloud; did you mean local?"
        ),
        Case(
            path: ["spec", "kubernetesVersion"],
            value: "1.19.9",
            line: "spec.kubernetesVersion: Kubernetes 1.19.9 is not supported; choose a release from 1.20 to 1.36"
        ),
        Case(
            path: ["spec"],
            value: [
                "cloudProvider": "local", "kubernetesVersion": "1.24.0", "containerRuntime": "docker",
                "subnets": [["name": "local-a", "zone": "local-a"], ["name": "local-b", "zone": "local-b"]],
            ],
            line:
                "spec.containerRuntime: Kubernetes 1.24.0 does not run on docker; write containerd, or a release before 1.24"
        ),
        Case(
            path: ["spec", "configBase"],
            value: "s3://elsewhere/demo.example.com",
            line: "spec.configBase: s3://elsewhere/demo.example.com is not in the state store file:///store; "
                + "remove it, or write file:///store/demo.example.com"
        ),
        Case(
            path: ["spec", "networkCIDR"],
            value: "100.64.0.0/16",
            line: "spec.networkCIDR: 100.64.0.0/16 overlaps nonMasqueradeCIDR 100.64.0.0/10; "
                + "use another private network, such as 10.64.0.0/24"
        ),
        Case(
            path: ["spec", "podCIDR"],
            value: "10.0.0.0/16",
            line: "spec.podCIDR: 10.0.0.0/16 lies outside nonMasqueradeCIDR 100.64.0.0/10"
        ),
        Case(
            path: ["spec", "serviceClusterIPRange"],
            value: "100.96.0.0/16",
            line: "spec.serviceClusterIPRange: 100.96.0.0/16 overlaps podCIDR 100.96.0.0/11"
        ),
        Case(
            path: ["spec", "kubeDNS"],
            value: ["serverIP": "100.64.0.1"],
            line: "spec.kubeDNS.serverIP: 100.64.0.1 must be an address of serviceClusterIPRange 100.64.0.0/13 "
                + "other than its first two; remove it, or write 100.64.0.10"
        ),
        Case(
            path: ["spec", "networking"],
            value: [:],
            line: "spec.networking: names no pod network; write kubenet: {}"
        ),
        Case(
            path: ["spec", "etcdClusters"],
            value: [["name": "main", "etcdMembers": [["name": "a", "instanceGroup": "control-plane-local-b"]]]],
            line: "spec.etcdClusters[0].etcdMembers[0].instanceGroup: there is no instance group "
                + "\"control-plane-local-b\"; did you mean control-plane-local-a?"
        ),
        Case(
            path: ["spec", "etcdClusters"],
            value: [["name": "main", "etcdMembers": [["name": "a", "instanceGroup": "nodes"]]]],
            line:
                "spec.etcdClusters[0].etcdMembers[0].instanceGroup: the instance group nodes is not of the control plane"
        ),
        Case(
            path: ["spec", "assets"],
            value: ["fileRepository": "ftp://files"],
            line: "spec.assets.fileRepository: \"ftp://files\" is no URL of a file repository; "
                + "write http://, https:// or file:/// and where the release files are"
        ),
    ]

    @Test("what cannot work is refused with path and remedy", arguments: clusterCases)
    func refuses(_ test: Case) throws {
        let document = Sample.changed(Sample.cluster, test.path, to: test.value)
        let error = #expect(throws: InvalidCluster.self) { try resolve(document) }
        let lines = error?.errors.first?.problems.map(\.description) ?? []
        #expect(lines.contains(test.line), "\(lines)")
    }

    static let groupCases = [
        Case(path: ["spec", "minSize"], value: 4, line: "spec.minSize: 4 is more than maxSize 3"),
        Case(
            path: ["spec", "subnets"],
            value: ["local-z"],
            line: "spec.subnets[0]: the cluster has no subnet \"local-z\"; subnets: local-a, local-b"
        ),
        Case(
            path: ["metadata", "labels"],
            value: ["kops.k8s.io/cluster": "other.example.com"],
            line: "metadata.labels[\"kops.k8s.io/cluster\"]: is other.example.com, but the cluster is demo.example.com"
        ),
        Case(
            path: ["spec", "taints"],
            value: ["dedicated=a:Never"],
            line: "spec.taints[0]: \"dedicated=a:Never\" is no taint; "
                + "write key=value:Effect, the effect one of NoSchedule, PreferNoSchedule, NoExecute"
        ),
        Case(
            path: ["metadata", "name"],
            value: "Nodes",
            line: "metadata.name: \"Nodes\" is no name for an instance group; "
                + "use lower-case letters, digits and dashes, 56 at most"
        ),
    ]

    @Test("an instance group that cannot work is refused", arguments: groupCases)
    func refusesGroup(_ test: Case) throws {
        var groups = Sample.groups
        groups[1] = Sample.changed(groups[1], test.path, to: test.value)
        let error = #expect(throws: InvalidCluster.self) { try resolve(Sample.cluster, groups) }
        let lines = error?.errors.flatMap(\.problems).map(\.description) ?? []
        #expect(lines == [test.line])
    }

    @Test("a cluster without control plane or without nodes is refused", arguments: [0, 1])
    func missingRole(kept: Int) {
        #expect(throws: InvalidCluster.self) { try resolve(Sample.cluster, [Sample.groups[kept]]) }
    }
}
