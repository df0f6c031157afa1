// SPDX-License-Identifier: Apache-2.0
public import KopsModel

/// Which object of the API a manifest is about.
public struct ObjectReference: Sendable, Hashable, CustomStringConvertible {
    /// The group and version, such as `v1` or `apps/v1`.
    public let apiVersion: String
    /// The kind, such as `DaemonSet`.
    public let kind: String
    /// The namespace as written; `nil` for none.
    public let namespace: String?
    /// The name.
    public let name: String

    /// Makes a reference from its parts.
    public init(apiVersion: String, kind: String, namespace: String? = nil, name: String) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// Reads `apiVersion`, `kind`, `metadata.namespace` and `metadata.name`.
    ///
    /// - Throws: ``KubeError`` with reason `InvalidObject` that names the missing field.
    public init(_ object: JSONValue) throws(KubeError) {
        func field(_ path: String, _ value: JSONValue?) throws(KubeError) -> String {
            guard let text = value?.string, !text.isEmpty, text != ".", text != "..", !text.contains("\0") else {
                let kind = object["kind"]?.string ?? "object"
                let name = object["metadata"]?["name"]?.string.map { " \($0)" } ?? ""
                throw KubeError(
                    code: 0,
                    reason: "InvalidObject",
                    message: "\(kind)\(name): \(path) is missing or no name"
                )
            }
            return text
        }
        kind = try field("kind", object["kind"])
        apiVersion = try field("apiVersion", object["apiVersion"])
        name = try field("metadata.name", object["metadata"]?["name"])
        if let namespace = object["metadata"]?["namespace"] {
            self.namespace = try field("metadata.namespace", namespace)
        } else {
            namespace = nil
        }
        guard apiVersion.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }),
            apiVersion.split(separator: "/").count <= 2
        else {
            throw KubeError(
                code: 0,
                reason: "InvalidObject",
                message: "\(kind) \(name): apiVersion \(apiVersion) is no group/version"
            )
        }
    }

    /// Where the group's resources are, such as `/apis/apps/v1`.
    var groupPath: String {
        let parts = apiVersion.split(separator: "/").map { PathText.escaped(String($0)) }
        return (parts.count == 1 ? "/api/" : "/apis/") + parts.joined(separator: "/")
    }

    /// Such as `DaemonSet kube-system/kube-proxy`.
    public var description: String { "\(kind) " + (namespace.map { $0 + "/" } ?? "") + name }
}

/// Text as one segment of a path or one value of a query (RFC 3986).
enum PathText {
    private static let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:".utf8)
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func escaped(_ text: String) -> String {
        let bytes = text.utf8.flatMap { byte in
            plain.contains(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
