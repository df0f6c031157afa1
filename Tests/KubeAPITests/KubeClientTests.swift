// SPDX-License-Identifier: Apache-2.0
import Fetch
import KopsModel
import KubeAPI
import Testing

@Suite struct KubeClientTests {
    let server = FakeServer()
    var client: KubeClient {
        KubeClient(endpoint: "https://api/", identity: TLSIdentity(authorities: "none"), http: server)
    }

    func configMap(_ name: String, _ value: String, namespace: String? = "kube-system") -> JSONValue {
        var object: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)],
            "data": ["key": .string(value)],
        ]
        if let namespace { object["metadata"]?["namespace"] = .string(namespace) }
        return object
    }

    @Test func applySaysWhatItDid() async throws {
        let client = client
        #expect(try await client.apply(configMap("a", "1"), fieldManager: "kopslite") == .created)
        #expect(try await client.apply(configMap("a", "1"), fieldManager: "kopslite") == .unchanged)
        #expect(try await client.apply(configMap("a", "2"), fieldManager: "kopslite") == .configured)
        let stored = await server.object("/api/v1/namespaces/kube-system/configmaps/a")
        #expect(stored?["data"]?["key"]?.string == "2")
        let patch = try #require(await server.requests.last { $0.method == "PATCH" })
        #expect(patch.url.hasSuffix("?fieldManager=kopslite&force=true"))
        #expect(patch.headers.contains { $0.name == "Content-Type" && $0.value == "application/apply-patch+yaml" })
    }

    @Test(arguments: [
        (ObjectReference(apiVersion: "v1", kind: "Node", name: "a"), "/api/v1/nodes/a"),
        (ObjectReference(apiVersion: "v1", kind: "Node", namespace: "ignored", name: "a"), "/api/v1/nodes/a"),
        (ObjectReference(apiVersion: "v1", kind: "ConfigMap", name: "a"), "/api/v1/namespaces/default/configmaps/a"),
        (
            ObjectReference(apiVersion: "apps/v1", kind: "DaemonSet", namespace: "n", name: "system:a b/c"),
            "/apis/apps/v1/namespaces/n/daemonsets/system:a%20b%2Fc"
        ),
    ]) func objectsAreWhereTheServerSays(_ object: ObjectReference, _ path: String) async throws {
        #expect(try await client.path(of: object) == path)
    }

    @Test func theNamespaceOfBodyAndPathAgree() async throws {
        let client = client
        try await client.apply(configMap("a", "1", namespace: nil), fieldManager: "m")
        let inDefault = await server.object("/api/v1/namespaces/default/configmaps/a")
        #expect(inDefault?["metadata"]?["namespace"] == "default")
        try await client.apply(
            ["apiVersion": "v1", "kind": "Node", "metadata": ["name": "n", "namespace": "x"]],
            fieldManager: "m"
        )
        let node = try #require(await server.object("/api/v1/nodes/n"))
        #expect(node["metadata"]?.object?.keys.sorted() == ["name", "resourceVersion"])
    }

    @Test func writesThatDependOnTheStateAreSentAsTheyAre() async throws {
        let client = client
        let collection = "/api/v1/namespaces/kube-system/configmaps"
        let made = try FakeServer.answer(201, configMap("a", "made"))
        await server.script(collection, [made, try FakeServer.status(409, "AlreadyExists")])
        await server.script("\(collection)/a", [try FakeServer.status(409, "Conflict")])
        #expect(try await client.create(configMap("a", "1"), in: collection) == configMap("a", "made"))
        let again = await #expect(throws: KubeError.self) {
            try await client.create(configMap("a", "1"), in: collection)
        }
        #expect(again?.reason == "AlreadyExists")
        let raced = await #expect(throws: KubeError.self) {
            try await client.replace(configMap("a", "2"), at: "\(collection)/a")
        }
        #expect(raced?.reason == "Conflict")
        #expect(await server.paths() == ["POST \(collection)", "POST \(collection)", "PUT \(collection)/a"])
        #expect(await server.requests.allSatisfy { $0.headers.contains { $0.value == "application/json" } })
    }

    @Test func discoveryIsAskedOnceAndAgainForNewKinds() async throws {
        let client = client
        let widget = ObjectReference(apiVersion: "example.com/v1", kind: "Widget", name: "w")
        for _ in 0..<3 { _ = try await client.path(of: ObjectReference(apiVersion: "v1", kind: "Node", name: "a")) }
        #expect(await server.paths() == ["GET /api/v1"])
        await #expect { _ = try await client.path(of: widget) } throws: {
            ($0 as? KubeError)?.reason == "NotServed" && ($0 as? KubeError)?.isTransient == true
        }
        await server.serve("/apis/example.com/v1", [FakeServer.resource("widgets", "Widget", false)])
        #expect(try await client.path(of: widget) == "/apis/example.com/v1/widgets/w")
        await #expect(throws: KubeError.self) {
            // Subresources are no kinds of their own.
            _ = try await client.path(of: ObjectReference(apiVersion: "apps/v1", kind: "Scale", name: "a"))
        }
    }

    @Test func listsAreReadPageByPage() async throws {
        func page(_ names: [JSONValue], next: JSONValue) throws -> HTTPResponse {
            try FakeServer.answer(
                200,
                [
                    "kind": "NodeList", "apiVersion": "v1", "metadata": ["continue": next],
                    "items": .array(names.map { ["metadata": ["name": $0]] }),
                ]
            )
        }
        let path = "/api/v1/nodes?labelSelector=a"
        try await server.script(path + "&limit=2", [page(["a", "b"], next: "t/1"), page(["a", "b"], next: "t/1")])
        try await server.script(path + "&limit=2&continue=t%2F1", [page(["c"], next: "")])
        let nodes = try await client.list(path, pageSize: 2)
        #expect(nodes.compactMap { $0["metadata"]?["name"]?.string } == ["a", "b", "c"])
        #expect(nodes.allSatisfy { $0["kind"] == "Node" && $0["apiVersion"] == "v1" })
        // The second time the list expires between pages, and a full list is asked for.
        try await server.script(path + "&limit=2&continue=t%2F1", [FakeServer.status(410, "Expired")])
        try await server.script(path, [page(["z"], next: "")])
        #expect(try await client.list(path, pageSize: 2).count == 1)
    }

    @Test func aServerThatRepeatsAPageEndsInAnError() async throws {
        let page = try FakeServer.answer(200, ["metadata": ["continue": "same"], "items": []])
        await server.script("/api/v1/nodes?limit=500", [page])
        await server.script("/api/v1/nodes?limit=500&continue=same", [page, page, page])
        await #expect { _ = try await client.list("/api/v1/nodes") } throws: {
            ($0 as? KubeError)?.reason == "BadAnswer"
        }
    }

    @Test(arguments: [
        (400, "BadRequest", false), (401, "Unauthorized", false), (403, "Forbidden", false), (409, "Conflict", true),
        (409, "AlreadyExists", false), (422, "Invalid", false), (429, "TooManyRequests", true),
        (500, "InternalError", true), (503, "ServiceUnavailable", true), (504, "Timeout", true),
    ]) func refusalsCarryCodeReasonAndClass(_ code: Int, _ reason: String, _ isTransient: Bool) async throws {
        try await server.script(
            "/api/v1/nodes/a",
            [FakeServer.status(code, reason), HTTPResponse(status: code, body: [1])]
        )
        await #expect { _ = try await client.get("/api/v1/nodes/a") } throws: {
            let error = $0 as? KubeError
            return error?.code == code && error?.reason == reason && error?.isTransient == isTransient
                && error?.message == "GET /api/v1/nodes/a: the reason" && error?.retryAfter == .seconds(7)
        }
        // Not every answer comes from the API machinery.
        await #expect { _ = try await client.get("/api/v1/nodes/a") } throws: { ($0 as? KubeError)?.code == code }
    }

    @Test func whatIsNotThereIsNil() async throws {
        let reference = ObjectReference(apiVersion: "v1", kind: "ConfigMap", name: "a")
        #expect(try await client.get(reference)?.object == .none)
        #expect(try await !client.delete(reference))
        try await client.apply(configMap("a", "1", namespace: nil), fieldManager: "m")
        #expect(try await client.get(reference)?["data"]?["key"] == "1")
        #expect(try await client.delete(reference))
        #expect(try await client.get(reference)?.object == .none)
        #expect(
            await server.paths().contains { $0.hasPrefix("DELETE") && $0.hasSuffix("?propagationPolicy=Background") }
        )
    }

    @Test func readinessFallsBackToHealth() async throws {
        let ok = HTTPResponse(status: 200, body: Array("ok".utf8))
        await server.script(
            "/readyz",
            [ok, HTTPResponse(status: 404), HTTPResponse(status: 500), HTTPResponse(status: 404)]
        )
        await server.script("/healthz", [ok, HTTPResponse(status: 500)])
        try await client.healthz()
        try await client.healthz()
        await #expect(throws: KubeError.self) { try await client.healthz() }
        await #expect(throws: KubeError.self) { try await client.healthz() }
    }

    @Test(
        arguments: [
            [:], ["kind": "ConfigMap"], ["apiVersion": "v1", "kind": "ConfigMap", "metadata": [:]],
            ["apiVersion": "v1", "metadata": ["name": "a"]], ["kind": "ConfigMap", "metadata": ["name": "a"]],
            ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": ".."]],
            ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a", "namespace": ""]],
            ["apiVersion": "a/b/c", "kind": "ConfigMap", "metadata": ["name": "a"]],
            ["apiVersion": "/v1", "kind": "ConfigMap", "metadata": ["name": "a"]], "text", .null,
        ] as [JSONValue]
    ) func incompleteObjectsAreRefusedUnsent(_ object: JSONValue) async {
        await #expect { try await client.apply(object, fieldManager: "m") } throws: {
            ($0 as? KubeError)?.reason == "InvalidObject" && ($0 as? KubeError)?.isTransient == false
        }
        #expect(await server.requests.isEmpty)
    }
}
