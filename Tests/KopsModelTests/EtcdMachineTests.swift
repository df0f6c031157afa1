// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import Testing

/// The file of `protokube etcd run`.
@Suite struct EtcdMachineTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var path: [String]
        var value: JSONValue?
        var problem: String
        var testDescription: String { "\(path.joined(separator: ".")): \(problem)" }
    }

    static let certificates: JSONValue = [
        "authority": "/p/ca.crt", "serverCertificate": "/p/s.crt", "serverKey": "/p/s.key",
        "peerCertificate": "/p/p.crt", "peerKey": "/p/p.key", "clientCertificate": "/p/c.crt",
        "clientKey": "/p/c.key",
    ]

    static let small: JSONValue = [
        "cluster": "db.example.com", "member": "a", "store": "file:///srv/etcd",
        "members": [["name": "a", "peerURL": "http://127.0.0.1:2380", "clientURL": "http://127.0.0.1:2379"]],
        "etcd": ["version": "3.5.16", "directory": "/usr/bin"], "volume": ["directory": "/var/lib/etcd"],
    ]

    static func member(_ name: String, host: String = "127.0.0.1", scheme: String = "http", port: Int = 1) -> JSONValue
    {
        [
            "name": .string(name), "peerURL": .string("\(scheme)://\(host):\(port)"),
            "clientURL": .string("\(scheme)://\(host):\(port + 1000)"),
        ]
    }

    static let cases = [
        Case(path: ["cluser"], value: "x", problem: "cluser: is no field that kopslite knows; did you mean cluster?"),
        Case(path: ["cluster"], value: nil, problem: "cluster: is missing"),
        Case(
            path: ["cluster"],
            value: "db",
            problem: "cluster: \"db\" is no DNS name with a dot; db.example.com is"
        ),
        Case(
            path: ["member"],
            value: "b",
            problem:
                "member: \"b\" is not among the members a; keep its entry with \"ensure\": \"absent\" until it is out"
        ),
        Case(path: ["machine"], value: "a/b", problem: "machine: \"a/b\" is no DNS name; write such as db-1"),
        Case(
            path: ["name"],
            value: "main-of-them",
            problem: "name: \"main-of-them\" is no DNS label of 1 to 11 characters; write such as main"
        ),
        Case(path: ["store"], value: "", problem: "store: is empty; write file:///dir or s3://bucket/prefix"),
        Case(
            path: ["members"],
            value: [member("a"), member("b", port: 2)],
            problem:
                "members: has 2 members; choose 1, 3 or 5: an even number outlives no more losses than one fewer"
        ),
        Case(
            path: ["members"],
            value: [member("a"), member("b", port: 2), member("b", port: 3)],
            problem: "members[2].name: \"b\" is used twice; give each its own"
        ),
        Case(
            path: ["members"],
            value: [member("a"), member("b", port: 2), member("c", port: 1001)],
            problem:
                "members[2].peerURL: http://127.0.0.1:1001 is members[0].clientURL already; give it another port"
        ),
        Case(
            path: ["members"],
            value: [member("a", host: "10.0.0.1")],
            problem:
                "members[0].peerURL: http://10.0.0.1:1 would let the whole network read and write without being asked who it"
                + " is; name certificates and write https; plain HTTP is for 127.0.0.1, [::1] and localhost"
        ),
        Case(
            path: ["members"],
            value: [member("a", scheme: "https")],
            problem: "members[0].clientURL: https://127.0.0.1:1001 needs certificates; name them in certificates"
        ),
        Case(
            path: ["certificates"],
            value: certificates,
            problem: "members[0].peerURL: http://127.0.0.1:2380 would not use the certificates; write https"
        ),
        Case(
            path: ["members"],
            value: [["name": "a", "peerURL": "127.0.0.1:1", "clientURL": "http://127.0.0.1:2"]],
            problem:
                "members[0].peerURL: \"127.0.0.1:1\" is not http://host:port or https://host:port; write such as"
                + " https://10.0.0.1:2380"
        ),
        Case(
            path: ["etcd", "version"],
            value: "3.3.1",
            problem: "etcd.version: etcd 3.3.1 is not supported; write a release from 3.4 on, such as 3.4.23"
        ),
        Case(
            path: ["etcd", "directory"],
            value: "bin",
            problem:
                "etcd.directory: \"bin\" is no absolute path without blanks, quotes and ..; write such as /srv/etcd"
        ),
        Case(
            path: ["volume"],
            value: [:],
            problem: "volume: needs either directory or label; write one of them, and not both"
        ),
        Case(path: ["backups"], value: ["interval": 5], problem: "backups.interval: is 5; write 60 or more"),
        Case(
            path: ["backups"],
            value: ["every": 5],
            problem: "backups.every: is no field that kopslite knows; remove it"
        ),
    ]

    static func changed(_ document: JSONValue, _ path: ArraySlice<String>, _ value: JSONValue?) -> JSONValue {
        guard let first = path.first, case .object(var members) = document else { return value ?? .null }
        members[first] = path.count == 1 ? value : changed(members[first] ?? [:], path.dropFirst(), value)
        return .object(members)
    }

    @Test(arguments: cases) func whatIsWrongIsNamedWithItsPlaceAndRemedy(_ it: Case) throws {
        let bytes = try Self.changed(Self.small, it.path[...], it.value).encoded()
        let error = #expect(throws: SpecError.self) { try EtcdMachine(parsing: bytes, name: "etcd.json") }
        let problems = error?.problems.map(\.description) ?? []
        #expect(problems.contains(it.problem), "\(problems)")
        #expect(it.value == nil || problems.allSatisfy { $0.contains("; ") })
    }

    @Test func theSampleIsReadAndWrittenAsItIs() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/etcd-machine.json")
        let machine = try EtcdMachine(parsing: Array(try Data(contentsOf: file)), name: "sample")
        #expect(machine.declared == ["a", "b", "c"])
        var document = machine.document
        // What is the default is not written.
        #expect(document["name"] == "main")
        document["machine"] = "db-1"
        try expectGolden(String(decoding: try document.encoded(), as: UTF8.self), "etcd-machine.json")
    }

    @Test(arguments: [
        ("http://127.0.0.1:1", true, "http://127.0.0.1:1"), ("https://[::1]:1", true, "https://[::1]:1"),
        ("http://localhost:1", true, "http://localhost:1"), ("https://10.0.0.1:1", false, "https://10.0.0.1:1"),
        ("https://127.example.com:1", false, "https://0.0.0.0:1"),
        ("https://db-1.example.com:2380", false, "https://0.0.0.0:2380"),
    ])
    func aURLSaysWhoReachesItAndWhereToListen(text: String, isLoopback: Bool, listening: String) throws {
        let url = try #require(EtcdURL(text))
        #expect(url.description == text && url.isLoopback == isLoopback && url.listening == listening)
    }

    @Test(arguments: [
        "", "127.0.0.1:1", "ftp://a:1", "http://a", "http://a:0", "http://a:65536", "http://a:1/", "http://:1",
        "http://a b:1", "http://::1:1", "http://a,b:1", "http://a=b:1",
    ])
    func whatIsNoURLIsNone(text: String) { #expect(EtcdURL(text) == nil) }
}
