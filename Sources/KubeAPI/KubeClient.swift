// SPDX-License-Identifier: Apache-2.0
public import Fetch
public import KopsModel

/// Talks to a Kubernetes API server.
///
/// Every call throws ``KubeError`` when the server refuses and `FetchError` when it does not answer; both know whether
/// trying again may help. Nothing is tried again here.
public struct KubeClient: Sendable {
    /// What ``apply(_:fieldManager:force:)`` did.
    public enum ApplyResult: String, Sendable {
        /// There was no such object.
        case created
        /// The object was changed.
        case configured
        /// The object was as wanted.
        case unchanged
    }

    private let endpoint: String
    private let address: String?
    private let identity: TLSIdentity
    private let http: any HTTPClient
    private let timeouts: Timeouts
    private let discovery = Discovery()

    /// Makes a client; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - endpoint: The server's URL, such as `https://api.internal.example.com`; its name is verified.
    ///   - address: Where to connect instead of where the name resolves to, such as `127.0.0.1` or `10.3.0.2:443`.
    ///   - identity: Whom to trust and who we are.
    ///   - http: What sends.
    ///   - timeouts: Limits of one request.
    public init(
        endpoint: String,
        address: String? = nil,
        identity: TLSIdentity,
        http: any HTTPClient,
        timeouts: Timeouts = Timeouts(connect: .seconds(5), total: .seconds(30), stall: .seconds(15))
    ) {
        self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        self.address = address
        self.identity = identity
        self.http = http
        self.timeouts = timeouts
    }

    /// Returns when the server says it is ready (`/readyz`, or `/healthz` where that is not served).
    public func healthz() async throws {
        let ready = try await send("GET", "/readyz")
        if ready.status == 404 {
            try Self.check(await send("GET", "/healthz"), "GET", "/healthz")
        } else {
            try Self.check(ready, "GET", "/readyz")
        }
    }

    /// The document at a path such as `/api/v1/nodes/a`; `nil` when there is none.
    public func get(_ path: String) async throws -> JSONValue? {
        let response = try await send("GET", path)
        return response.status == 404 ? nil : try Self.document(response, "GET", path)
    }

    /// The server's copy of an object; `nil` when there is none.
    public func get(_ object: ObjectReference) async throws -> JSONValue? { try await get(path(of: object)) }

    /// All items of a collection such as `/api/v1/nodes?labelSelector=…`, fetched in pages.
    ///
    /// Each item carries `apiVersion` and `kind`, which the server leaves out in lists.
    public func list(_ path: String, pageSize: Int = 500) async throws -> [JSONValue] {
        do {
            return try await pages(path, pageSize: pageSize)
        } catch let error as KubeError where error.code == 410 {
            // The list changed too much between two pages; the server's remedy is one page for all.
            return try await pages(path, pageSize: nil)
        }
    }

    /// Makes an object be as written (server-side apply), creating it when there is none.
    ///
    /// - Parameters:
    ///   - object: The manifest; a namespaced one without namespace goes to `default`.
    ///   - fieldManager: Who owns the fields that are written.
    ///   - force: Whether fields of other managers are taken over.
    /// - Returns: What happened, told by the object's resource version.
    /// - Throws: ``KubeError``, also with reason `InvalidObject` or `NotServed`; `FetchError`.
    @discardableResult
    public func apply(_ object: JSONValue, fieldManager: String, force: Bool = true) async throws -> ApplyResult {
        let reference = try ObjectReference(object)
        let path = try await path(of: reference)
        let before = try await get(path)?["metadata"]?["resourceVersion"]?.string
        let query = "?fieldManager=\(PathText.escaped(fieldManager))&force=\(force)"
        // JSON is YAML; the content type is the only one that means server-side apply to every release.
        let body = try await placed(object, reference).encoded(pretty: false)
        let response = try await send("PATCH", path + query, body, type: "application/apply-patch+yaml")
        let after = try Self.document(response, "PATCH", path)
        guard response.status != 201, let before else { return .created }
        return before == after["metadata"]?["resourceVersion"]?.string ? .unchanged : .configured
    }

    /// Makes an object that must not be there yet.
    ///
    /// - Parameters:
    ///   - object: The manifest.
    ///   - collection: Where objects of its kind are, such as `/api/v1/nodes`.
    /// - Returns: The server's copy.
    /// - Throws: ``KubeError``, with reason `AlreadyExists` when it is there.
    @discardableResult
    public func create(_ object: JSONValue, in collection: String) async throws -> JSONValue {
        let response = try await send("POST", collection, object.encoded(pretty: false), type: "application/json")
        return try Self.document(response, "POST", collection)
    }

    /// Writes an object over the one that is there, if that is still in the state of `metadata.resourceVersion`.
    ///
    /// - Returns: The server's copy.
    /// - Throws: ``KubeError``, with reason `Conflict` when it has changed.
    @discardableResult
    public func replace(_ object: JSONValue, at path: String) async throws -> JSONValue {
        let response = try await send("PUT", path, object.encoded(pretty: false), type: "application/json")
        return try Self.document(response, "PUT", path)
    }

    /// Changes fields of an object that exists (JSON merge patch, RFC 7386).
    ///
    /// - Returns: The changed object.
    @discardableResult
    public func merge(_ patch: JSONValue, into path: String) async throws -> JSONValue {
        let response = try await send("PATCH", path, patch.encoded(pretty: false), type: "application/merge-patch+json")
        return try Self.document(response, "PATCH", path)
    }

    /// Removes an object and, in the background, what it owns.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    public func delete(_ path: String) async throws -> Bool {
        let response = try await send("DELETE", path + "?propagationPolicy=Background")
        if response.status == 404 { return false }
        try Self.check(response, "DELETE", path)
        return true
    }

    /// Removes an object and, in the background, what it owns.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    public func delete(_ object: ObjectReference) async throws -> Bool { try await delete(path(of: object)) }

    /// Where an object is, such as `/apis/apps/v1/namespaces/kube-system/deployments/dns`.
    public func path(of object: ObjectReference) async throws -> String {
        let resource = try await resource(of: object)
        let scope = resource.isNamespaced ? "/namespaces/\(PathText.escaped(object.namespace ?? "default"))" : ""
        return "\(object.groupPath)\(scope)/\(PathText.escaped(resource.plural))/\(PathText.escaped(object.name))"
    }

    private func resource(of object: ObjectReference) async throws -> Discovery.Resource {
        try await discovery.resource(of: object) { try await get($0) }
    }

    /// The manifest with the namespace its path has: a server refuses one that differs.
    private func placed(_ object: JSONValue, _ reference: ObjectReference) async throws -> JSONValue {
        let isNamespaced = try await resource(of: reference).isNamespaced
        var object = object
        var metadata = object["metadata"]?.object ?? [:]
        metadata.removeValue(forKey: "namespace")
        if isNamespaced { metadata["namespace"] = .string(reference.namespace ?? "default") }
        object["metadata"] = .object(metadata)
        return object
    }

    private func pages(_ path: String, pageSize: Int?) async throws -> [JSONValue] {
        var items: [JSONValue] = []
        var token = ""
        let separator = path.contains("?") ? "&" : "?"
        repeat {
            var page = path + (pageSize.map { "\(separator)limit=\($0)" } ?? "")
            if !token.isEmpty { page += "&continue=\(PathText.escaped(token))" }
            let list = try Self.document(await send("GET", page), "GET", path)
            items += Self.items(of: list)
            let next = list["metadata"]?["continue"]?.string ?? ""
            guard next.isEmpty || next != token else {
                throw KubeError(
                    code: 200,
                    reason: "BadAnswer",
                    message: "GET \(path): the server repeats one page for ever"
                )
            }
            token = next
        } while !token.isEmpty
        return items
    }

    private static func items(of list: JSONValue) -> [JSONValue] {
        let kind = list["kind"]?.string.map { $0.hasSuffix("List") ? String($0.dropLast(4)) : $0 }
        return (list["items"]?.array ?? []).map { item in
            var item = item
            // Not compared with nil, which JSONValue reads as its own null.
            if let kind, item["kind"]?.string == .none { item["kind"] = .string(kind) }
            if let version = list["apiVersion"], item["apiVersion"]?.string == .none { item["apiVersion"] = version }
            return item
        }
    }

    private func send(
        _ method: String,
        _ path: String,
        _ body: [UInt8] = [],
        type: String? = nil
    ) async throws -> HTTPResponse {
        var headers = [(name: "Accept", value: "application/json")]
        if let type { headers.append((name: "Content-Type", value: type)) }
        return try await http.send(
            HTTPRequest(
                method: method,
                url: endpoint + path,
                headers: headers,
                body: body,
                identity: identity,
                timeouts: timeouts,
                address: address
            )
        )
    }

    private static func check(_ response: HTTPResponse, _ method: String, _ path: String) throws(KubeError) {
        guard (200..<300).contains(response.status) else { throw KubeError(response, method: method, path: path) }
    }

    private static func document(
        _ response: HTTPResponse,
        _ method: String,
        _ path: String
    ) throws(KubeError) -> JSONValue {
        try check(response, method, path)
        guard let document = try? JSONValue(parsing: response.body), document.object != nil else {
            throw KubeError(
                code: response.status,
                reason: "BadAnswer",
                message: "\(method) \(path): the answer is no JSON object"
            )
        }
        return document
    }
}
