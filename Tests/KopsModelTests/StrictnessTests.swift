// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import Testing

@Suite("Strict reading")
struct StrictnessTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var path: [String]
        var value: JSONValue
        var problem: String
        var testDescription: String { "\(path.joined(separator: ".")): \(problem)" }
    }

    static let clusterCases = [
        Case(
            path: ["spec", "networking"],
            value: ["calico": [:]],
            problem: "spec.networking.calico: is not supported; supported: kubenet"
        ),
        Case(
            path: ["spec", "kubernetesVerson"],
            value: "1.20.2",
            problem: "spec.kubernetesVerson: is no field that kopslite knows; did you mean kubernetesVersion?"
        ),
        Case(
            path: ["spec", "flux"],
            value: [:],
            problem: "spec.flux: is no field that kopslite knows; remove it"
        ),
        Case(path: ["status"], value: [:], problem: "status: is no field that kopslite knows; remove it"),
        Case(
            path: ["spec", "hooks"],
            value: [],
            problem:
                "spec.hooks: is not supported; install what machines need with packages, or bake it into their image"
        ),
        Case(
            path: ["spec", "kubernetesVersion"],
            value: .double(1.2),
            problem: "spec.kubernetesVersion: must be text, found the number 1.2; put it in quotes"
        ),
        Case(
            path: ["spec", "kubernetesVersion"],
            value: "1.20",
            problem: "spec.kubernetesVersion: \"1.20\" is not a Kubernetes release such as 1.20.2"
        ),
        Case(
            path: ["spec", "networkCIDR"],
            value: "10.64.0.1/24",
            problem: "spec.networkCIDR: 10.64.0.1/24 has bits set behind its prefix; write 10.64.0.0/24"
        ),
        Case(
            path: ["spec", "sshAccess"],
            value: ["0.0.0.0/0", "::/0"],
            problem: "spec.sshAccess[1]: \"::/0\" is not an IPv4 network such as 10.0.0.0/8"
        ),
        Case(
            path: ["spec", "subnets"],
            value: [["name": "a", "zone": "local-a", "type": "Private"]],
            problem: "spec.subnets[0].type: must be \"Public\", found the text \"Private\""
        ),
        Case(path: ["spec", "subnets"], value: [:], problem: "spec.subnets: must be a list, found a map"),
        Case(path: ["spec", "subnets"], value: [["zone": "local-a"]], problem: "spec.subnets[0].name: is missing"),
        Case(
            path: ["spec", "kubelet"],
            value: ["maxPods": "ten"],
            problem: "spec.kubelet.maxPods: must be a whole number, found the text \"ten\""
        ),
        Case(
            path: ["spec", "kubelet"],
            value: ["maxPod": 10],
            problem: "spec.kubelet.maxPod: is not supported as a setting of kubelet; did you mean maxPods?"
        ),
        Case(
            path: ["spec", "kubelet"],
            value: ["clusterDNS": "100.64.0.10"],
            problem: "spec.kubelet.clusterDNS: is not supported; write spec.kubeDNS.serverIP"
        ),
        Case(
            path: ["spec", "sysctlParameters"],
            value: ["vm.max_map_count"],
            problem:
                "spec.sysctlParameters[0]: \"vm.max_map_count\" is not a kernel setting such as vm.max_map_count=262144"
        ),
        Case(
            path: ["spec", "containerRuntime"],
            value: "rkt",
            problem: "spec.containerRuntime: \"rkt\" is not a container runtime: docker, containerd"
        ),
        Case(path: ["spec", "cloudProvider"], value: .null, problem: "spec.cloudProvider: is missing; write local"),
        Case(
            path: ["metadata", "labels"],
            value: ["a.b/c": 1],
            problem: "metadata.labels[\"a.b/c\"]: must be text, found the number 1; put it in quotes"
        ),
        Case(
            path: ["apiVersion"],
            value: "kops.k8s.io/v1alpha3",
            problem: "apiVersion: \"kops.k8s.io/v1alpha3\" is not an API version that kopslite reads: "
                + "kops.k8s.io/v1alpha2, kops/v1alpha2"
        ),
        Case(
            path: ["kind"],
            value: "Keyset",
            problem: "kind: \"Keyset\" is not supported; use Cluster, InstanceGroup or SSHCredential"
        ),
    ]

    @Test("a wrong cluster is refused with path and remedy", arguments: clusterCases)
    func cluster(_ test: Case) {
        #expect(problems(of: Sample.changed(Sample.cluster, test.path, to: test.value)) == [test.problem])
    }

    static let groupCases = [
        Case(
            path: ["spec", "role"],
            value: "Bastion",
            problem: "spec.role: the role Bastion is not supported; use ControlPlane or Node"
        ),
        Case(
            path: ["spec", "role"],
            value: "APIServer",
            problem: "spec.role: the role APIServer is not supported; use ControlPlane or Node"
        ),
        Case(
            path: ["spec", "role"],
            value: "node",
            problem: "spec.role: \"node\" is not a role of machines: ControlPlane (or Master), Node"
        ),
        Case(
            path: ["spec", "maxPrice"],
            value: "1.0",
            problem: "spec.maxPrice: is not supported; the local cloud has nothing like it, remove it"
        ),
        Case(
            path: ["spec", "minSize"],
            value: "2",
            problem: "spec.minSize: must be a whole number, found the text \"2\""
        ),
    ]

    @Test("a wrong instance group is refused with path and remedy", arguments: groupCases)
    func group(_ test: Case) {
        let group = Sample.group("nodes", role: "Node", min: 2, max: 2)
        #expect(problems(of: Sample.changed(group, test.path, to: test.value)) == [test.problem])
    }

    @Test("every problem of a document is said, not only the first")
    func allProblems() {
        var document = Sample.cluster
        for test in Self.clusterCases.prefix(5) { document = Sample.changed(document, test.path, to: test.value) }
        #expect(Set(problems(of: document)) == Set(Self.clusterCases.prefix(5).map(\.problem)))
    }

    @Test("what is no object is refused", arguments: [.null, "text", 1, [], [:]] as [JSONValue])
    func noObject(document: JSONValue) { #expect(!problems(of: document).isEmpty) }

    @Test("null counts as absent, as in Kubernetes")
    func null() {
        #expect(problems(of: Sample.changed(Sample.cluster, ["metadata", "creationTimestamp"], to: .null)).isEmpty)
    }

    @Test("both API versions and both names of the role are read")
    func spellings() throws {
        let old = Sample.changed(
            Sample.group("m", role: "Master", min: 1, max: 1),
            ["apiVersion"],
            to: "kops/v1alpha2"
        )
        let new = Sample.group("m", role: "ControlPlane", min: 1, max: 1)
        #expect(try InstanceGroup(document: old) == InstanceGroup(document: new))
    }
}

@Suite("Round trips")
struct RoundTripTests {
    static let documents = [Sample.cluster] + Sample.groups + [kopsCluster, sshKey]

    static let sshKey: JSONValue = [
        "apiVersion": "kops/v1alpha2", "kind": "SSHCredential",
        "metadata": ["name": "admin", "labels": ["kops.k8s.io/cluster": "demo.example.com"]],
        "spec": ["publicKey": "ssh-ed25519 AAAA someone"],
    ]

    /// The shape of what `kops get -o yaml` prints for a small cluster, in its own order of members.
    static let kopsCluster: JSONValue = [
        "apiVersion": "kops.k8s.io/v1alpha2", "kind": "Cluster",
        "metadata": [
            "creationTimestamp": "2024-01-02T03:04:05Z", "generation": 2, "name": "demo.example.com",
            "labels": ["team": "a"],
        ],
        "spec": [
            "additionalSans": ["api.other.example.com"], "api": ["dns": [:]],
            "assets": ["fileRepository": "http://files"],
            "authorization": ["rbac": [:]], "channel": "stable", "cloudLabels": ["owner": "me"],
            "cloudProvider": "local", "configBase": "file:///store/demo.example.com", "containerRuntime": "docker",
            "etcdClusters": [
                [
                    "name": "main", "version": "3.4.23",
                    "etcdMembers": [["instanceGroup": "control-plane-local-a", "name": "a", "volumeSize": 2]],
                ]
            ],
            "iam": ["allowContainerRegistry": true, "legacy": false],
            "kubeAPIServer": ["runtimeConfig": ["a": "true"], "auditLogMaxAge": 3],
            "kubeDNS": ["replicas": 1, "serverIP": "100.64.0.10"],
            "kubelet": ["anonymousAuth": false, "maxPods": 50, "featureGates": ["A": "true", "B": "false"]],
            "kubernetesApiAccess": ["0.0.0.0/0"], "kubernetesVersion": "1.20.2",
            "masterPublicName": "api.demo.example.com",
            "networkCIDR": "10.64.0.0/24", "networking": ["kubenet": [:]], "nonMasqueradeCIDR": "100.64.0.0/10",
            "sshAccess": ["0.0.0.0/0"], "sysctlParameters": ["vm.swappiness=1"],
            "subnets": [["cidr": "10.64.0.0/25", "name": "local-a", "type": "Public", "zone": "local-a"]],
            "topology": ["dns": ["type": "Public"], "masters": "public", "nodes": "public"],
        ],
    ]

    @Test("reading what was written gives the same object, and the same bytes again", arguments: documents)
    func roundTrip(document: JSONValue) throws {
        let object = try APIObject(document: document)
        let again = try APIObject(document: try JSONValue(parsing: object.document.encoded()))
        #expect(again == object)
        #expect(try again.document.encoded() == object.document.encoded())
    }

    @Test("nothing that kops printed is lost")
    func nothingLost() throws {
        #expect(try APIObject(document: Self.kopsCluster).document == Self.kopsCluster)
        #expect(try InstanceGroup(document: Sample.groups[1]).document == Sample.groups[1])
    }

    @Test("an agent's report keeps its times to the millisecond, and plain numbers are read too")
    func status() throws {
        let time = Date(timeIntervalSinceReferenceDate: 700_000_000.25)
        let status = AgentStatus(
            agent: "nodeup",
            instance: "nodes-1",
            instanceGroup: "nodes",
            role: .node,
            phase: .converging,
            tasksDone: 1,
            tasksTotal: 2,
            started: time,
            updated: time,
            spans: [.init(name: "download", start: time, end: time)]
        )
        #expect(try AgentStatus(parsing: status.encoded()) == status)
        #expect(try AgentStatus(parsing: [UInt8](JSONEncoder().encode(status))) == status)
        #expect(throws: (any Error).self) { try AgentStatus(parsing: Array("{}".utf8)) }
    }
}
