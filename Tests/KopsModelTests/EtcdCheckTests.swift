// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Testing

@Suite("etcd clusters of several members")
struct EtcdCheckTests {
    private static let zones = ["local-a", "local-b", "local-c"]

    private static func members(_ names: [String], groups: [String]? = nil) -> JSONValue {
        .array(
            zip(names, groups ?? names.map { "control-plane-local-\($0)" }).map { name, group in
                ["name": .string(name), "instanceGroup": .string(group)]
            }
        )
    }

    private static func etcd(_ name: String, _ members: JSONValue = members(["a", "b", "c"])) -> JSONValue {
        ["name": .string(name), "etcdMembers": members]
    }

    private static func cluster(_ etcd: [JSONValue]?) -> JSONValue {
        let subnets = zones.map { zone -> JSONValue in ["name": .string(zone), "zone": .string(zone)] }
        let placed = Sample.changed(Sample.cluster, ["spec", "subnets"], to: .array(subnets))
        return etcd.map { Sample.changed(placed, ["spec", "etcdClusters"], to: .array($0)) } ?? placed
    }

    private static func groups(_ count: Int, size: Int = 1) -> [JSONValue] {
        zones.prefix(count).map { zone in
            Sample.group("control-plane-\(zone)", role: "ControlPlane", min: size, max: size, subnets: [zone])
        } + [Sample.group("nodes", role: "Node", min: 1, max: 1)]
    }

    private func resolve(
        _ etcd: [JSONValue]?,
        _ groups: [JSONValue] = groups(3),
        store: String? = nil
    ) throws -> ResolvedCluster {
        try ResolvedCluster(
            Cluster(document: Self.cluster(etcd)),
            groups: groups.map { try InstanceGroup(document: $0) },
            store: store
        )
    }

    @Test("three members of both etcd clusters are told to machines, main first, with ports and labels apart")
    func three() throws {
        let resolved = try resolve([Self.etcd("events"), Self.etcd("main")])
        #expect(resolved.etcd.name == "main")
        #expect(resolved.etcdClusters.map(\.name) == ["main", "events"])
        #expect(resolved.etcdClusters.allSatisfy { $0.members == ["a", "b", "c"] && $0.version == "3.4.23" })
        #expect(resolved.etcdClusters.map(\.volumeLabel) == ["k8s.io/etcd/main", "k8s.io/etcd/events"])
        let ports = resolved.etcdClusters.flatMap { [$0.clientPort, $0.peerPort] }
        #expect(ports == [2379, 2380, 2382, 2383])
    }

    @Test("several control-plane machines have one address, the last of their network; a single one has none")
    func address() throws {
        #expect(try resolve([Self.etcd("main")]).network.apiAddress == "10.64.0.254")
        #expect(try resolve(nil).network.apiAddress == "10.64.0.254")
        #expect(try resolve(nil, Self.groups(1)).network.apiAddress == nil)
    }

    @Test("without etcdClusters each control-plane group gets a member of main")
    func defaults() throws {
        #expect(try resolve(nil).etcdClusters.map(\.members) == [["a", "b", "c"]])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var etcd: [JSONValue]?
        var groups = EtcdCheckTests.groups(3)
        var line: String
        var testDescription: String { line }
    }

    static let odd = "choose 1, 3 or 5: an even number outlives no more losses than one fewer"
    static let path = "spec.etcdClusters[0].etcdMembers"

    static let cases = [
        Case(
            etcd: [etcd("main", members(["a", "b"]))],
            groups: groups(2),
            line: "\(path): has 2 members; \(odd)"
        ),
        Case(groups: groups(2), line: "has 2 machines for the control plane; \(odd)"),
        Case(
            etcd: [
                etcd("main", members(["a", "b", "b"], groups: zones.map { "control-plane-\($0)" }))
            ],
            line: "\(path)[2].name: \"b\" is used twice"
        ),
        Case(
            etcd: [
                etcd("main", members(["a", "b", "c"], groups: ["a", "b", "b"].map { "control-plane-local-\($0)" }))
            ],
            groups: groups(2),
            line: "\(path)[2].instanceGroup: the members b and c would share the machine of control-plane-local-b; "
                + "declare an InstanceGroup with role ControlPlane of size 1 for each member"
        ),
        Case(
            etcd: [etcd("main", members(["a"]))],
            line: "\(path): names no member for the control-plane instance group control-plane-local-b; "
                + "add a member, or remove the group: every control-plane machine runs one of each etcd cluster"
        ),
        Case(
            etcd: [etcd("main")],
            groups: groups(2),
            line: "\(path)[2].instanceGroup: there is no instance group \"control-plane-local-c\"; "
                + "did you mean control-plane-local-a?"
        ),
        Case(
            etcd: [etcd("main", members(["a"]))],
            groups: groups(1, size: 3),
            line: "has 3 machines in the control-plane instance group control-plane-local-a; "
                + "declare an InstanceGroup with role ControlPlane of size 1 for each etcd member"
        ),
        Case(
            etcd: [etcd("main"), etcd("cilium")],
            line: "spec.etcdClusters[1].name: \"cilium\" is no etcd cluster; there may be main and events"
        ),
        Case(etcd: [etcd("main"), etcd("main")], line: "spec.etcdClusters[1].name: \"main\" is used twice"),
        Case(etcd: [etcd("events")], line: "spec.etcdClusters: has no main; add it, or remove etcdClusters"),
        Case(
            etcd: [etcd("main"), Sample.changed(etcd("events"), ["version"], to: "3.5.1")],
            line: "spec.etcdClusters[1].version: events has etcd 3.5.1, but main has 3.4.23; "
                + "write the same release for both, since one program serves both on each machine"
        ),
        Case(
            etcd: [Sample.changed(etcd("main"), ["version"], to: "3.3.9")],
            line: "spec.etcdClusters[0].version: etcd 3.3.9 is not supported; "
                + "write a release from 3.4 on, such as 3.4.23"
        ),
    ]

    @Test("what etcd cannot do is refused with path and remedy", arguments: cases)
    func refuses(_ test: Case) throws {
        let error = #expect(throws: InvalidCluster.self) { try resolve(test.etcd, test.groups) }
        let lines = error?.errors.first?.problems.map(\.description) ?? []
        #expect(lines.contains(test.line), "\(lines)")
    }

    @Test(
        "data goes up one minor release at a time and never down",
        arguments: [
            ("3.4.23", "3.4.23", nil), ("3.4.23", "3.4.24", nil), ("3.4.23", "3.5.0", nil),
            ("3.4.23", "3.6.4", "3.6.4 skips a minor release after 3.4.23; go to a release of 3.5 first"),
            ("3.5.1", "3.4.23", "3.4.23 is older than 3.5.1, which its data is of; write 3.5.1 or a later release"),
            ("3.5.26", "3.6.4", nil), ("3.5.30", "3.6.0", nil), ("3.5.1", "3.5.26", nil), ("3.6.0", "3.7.0", nil),
            (
                "3.5.25", "3.6.4",
                "3.6.4 may take members for learners, or removed ones for members, in data of 3.5.25; "
                    + "go to 3.5.26 or a later release of 3.5 first, on every member"
            ),
            ("3.5.1", "3.5.0", "3.5.0 is older than 3.5.1, which its data is of; write 3.5.1 or a later release"),
        ] as [(String, String, String?)]
    )
    func versions(old: String, new: String, refusal: String?) throws {
        let found = try #require(EtcdVersion(new)).refusal(after: try #require(EtcdVersion(old)))
        #expect(found.map { "\($0.message); \($0.remedy)" } == refusal)
    }

    @Test("only whole releases are read", arguments: ["3.4", "3.04.1", "v3.4.1", "3.4.1-rc1", "", "a.b.c"])
    func unreadable(text: String) { #expect(EtcdVersion(text) == nil) }

    @Test("backups may state where they are kept and whether they are sealed, and nothing else")
    func backups() throws {
        func backups(_ value: JSONValue) -> [JSONValue] {
            [Sample.changed(Self.etcd("main"), ["backups"], to: value)]
        }
        let name = try resolve(nil).name
        let place = "s3://state/\(name)/etcd/main/backups"
        let resolved = try resolve(
            backups(["encrypted": true, "backupStore": .string(place)]),
            store: "s3://state"
        )
        #expect(resolved.etcd.backups?.encrypted == true)
        #expect(resolved.etcdClusters[0].backupRecipients == nil, "whose keys there are is not for the model to know")
        let foreign = #expect(throws: InvalidCluster.self) {
            try resolve(backups(["backupStore": "s3://other/backups"]), store: "s3://state")
        }
        #expect(
            foreign?.errors.first?.problems.map(\.description) == [
                "spec.etcdClusters[0].backups.backupStore: s3://other/backups is not where backups are kept; "
                    + "they are kept in the state store: remove it, or write \(place)"
            ]
        )
        #expect(throws: SpecError.self) { try resolve(backups(["image": "kopeio/etcd-backup:1.0"])) }
        #expect(throws: SpecError.self) { try resolve(backups(["encrypt": true])) }
    }
}
