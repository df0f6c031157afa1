// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import KopsModel
import Synchronization
import SystemPackage

/// etcd and an API server behind one HTTP client, as far as protokube asks them.
final class FakeControlPlane: HTTPClient {
    private struct State {
        var isEtcdHealthy = true
        var isAPIReady = true
        var objects: [String: JSONValue] = [:]
        var version = 0
    }

    private let state = Mutex(State())
    /// What etcd does on its volume once it serves.
    private let serves: @Sendable () async -> Void

    init(serves: @escaping @Sendable () async -> Void = {}) { self.serves = serves }

    /// The paths of the objects it holds, sorted.
    var paths: [String] { state.withLock { $0.objects.keys.sorted() } }
    func setEtcdHealthy(_ healthy: Bool) { state.withLock { $0.isEtcdHealthy = healthy } }
    func setAPIReady(_ ready: Bool) { state.withLock { $0.isAPIReady = ready } }
    func object(_ path: String) -> JSONValue? { state.withLock { $0.objects[path] } }
    func put(_ object: JSONValue, at path: String) { state.withLock { $0.objects[path] = object } }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard request.identity?.certificate != nil else { return HTTPResponse(status: 401) }
        if request.url == "https://\(Bench.boot.address):2379/v3/maintenance/status" {
            await serves()
            return answer(Self.status(leader: state.withLock(\.isEtcdHealthy) ? "7" : "0"))
        }
        guard request.url.hasPrefix("https://127.0.0.1:443/") else {
            throw FetchError(.transient, code: "connection-refused", "nothing listens at \(request.url)")
        }
        let path = String(request.url.dropFirst("https://127.0.0.1:443".count).prefix { $0 != "?" })
        if path == "/readyz" { return HTTPResponse(status: state.withLock(\.isAPIReady) ? 200 : 503) }
        if path == "/api/v1" { return answer(Self.resources) }
        if request.method == "PATCH" { return try patch(path, with: JSONValue(parsing: request.body)) }
        return object(path).map { answer($0) } ?? HTTPResponse(status: 404)
    }

    private func patch(_ path: String, with patch: JSONValue) -> HTTPResponse {
        let result = state.withLock { state in
            var object = Self.merged(state.objects[path] ?? [:], with: patch)
            object["metadata"]?["resourceVersion"] = state.objects[path]?["metadata"]?["resourceVersion"]
            if object != state.objects[path] {
                state.version += 1
                object["metadata"]?["resourceVersion"] = .string("\(state.version)")
            }
            state.objects[path] = object
            return object
        }
        return answer(result)
    }

    private static func merged(_ old: JSONValue, with new: JSONValue) -> JSONValue {
        guard case .object(var members) = old, case .object(let changes) = new else { return new }
        for (name, value) in changes { members[name] = members[name].map { merged($0, with: value) } ?? value }
        return .object(members)
    }

    private func answer(_ document: JSONValue) -> HTTPResponse {
        HTTPResponse(status: 200, body: (try? document.encoded()) ?? [])
    }

    private static func status(leader: JSONValue) -> JSONValue {
        [
            "header": ["cluster_id": "5", "member_id": "7", "revision": "1", "raft_term": "2"], "version": "3.4.23",
            "dbSize": "20480", "leader": leader, "raftIndex": "4", "raftTerm": "2", "raftAppliedIndex": "4",
        ]
    }

    private static let resources: JSONValue = [
        "kind": "APIResourceList",
        "resources": [
            ["kind": "ConfigMap", "name": "configmaps", "namespaced": true],
            ["kind": "Secret", "name": "secrets", "namespaced": true],
            ["kind": "Node", "name": "nodes", "namespaced": false],
        ],
    ]
}
