// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import KopsModel
import SystemPackage

/// An API server of a few kinds, as far as a client can tell.
actor FakeServer: HTTPClient {
    private(set) var requests: [HTTPRequest] = []
    private var objects: [String: JSONValue] = [:]
    private var version = 0
    private var groups: [String: [JSONValue]] = [
        "/api/v1": [
            resource("nodes", "Node", false), resource("nodes/status", "Node", false),
            resource("configmaps", "ConfigMap", true),
        ],
        "/apis/apps/v1": [resource("daemonsets", "DaemonSet", true), resource("deployments/scale", "Scale", true)],
    ]
    private var answers: [String: [HTTPResponse]] = [:]

    static func resource(_ name: String, _ kind: String, _ namespaced: Bool) -> JSONValue {
        ["name": .string(name), "kind": .string(kind), "namespaced": .bool(namespaced)]
    }

    static func answer(_ status: Int, _ document: JSONValue) throws -> HTTPResponse {
        HTTPResponse(status: status, body: try document.encoded(pretty: false))
    }

    static func status(_ code: Int, _ reason: String) throws -> HTTPResponse {
        try answer(
            code,
            ["kind": "Status", "reason": .string(reason), "message": "the reason", "details": ["retryAfterSeconds": 7]]
        )
    }

    /// Says next what a path answers, before anything else.
    func script(_ path: String, _ responses: [HTTPResponse]) { answers[path, default: []] += responses }

    func serve(_ path: String, _ resources: [JSONValue]) { groups[path, default: []] += resources }

    func paths() -> [String] { requests.map { "\($0.method) \($0.url.dropFirst("https://api".count))" } }

    func object(_ path: String) -> JSONValue? { objects[path] }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        requests.append(request)
        let full = String(request.url.dropFirst("https://api".count))
        if let next = answers[full]?.first {
            answers[full]?.removeFirst()
            return next
        }
        let path = String(full.prefix { $0 != "?" })
        if let resources = groups[path] { return try Self.answer(200, ["resources": .array(resources)]) }
        switch request.method {
        case "GET": return try objects[path].map { try Self.answer(200, $0) } ?? Self.status(404, "NotFound")
        case "DELETE":
            let found = objects.removeValue(forKey: path)
            return try found.map { try Self.answer(200, $0) } ?? Self.status(404, "NotFound")
        default: return try patch(path, JSONValue(parsing: request.body))
        }
    }

    private func patch(_ path: String, _ body: JSONValue) throws -> HTTPResponse {
        var wanted = body
        let old = objects[path]
        wanted["metadata"]?["resourceVersion"] = old?["metadata"]?["resourceVersion"]
        if let old, old == wanted { return try Self.answer(200, old) }
        version += 1
        wanted["metadata"]?["resourceVersion"] = .string("\(version)")
        objects[path] = wanted
        return try Self.answer(old == nil ? 201 : 200, wanted)
    }
}
