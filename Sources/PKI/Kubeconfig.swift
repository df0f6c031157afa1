// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// How a program reaches the Kubernetes API and who it is there.
///
/// - Shape: JSON of `kind: Config`, which kubelet, kubectl and client-go read as YAML.
public struct Kubeconfig: Codable, Sendable, Equatable, CustomStringConvertible {
    /// The certificates that may sign the server's certificate.
    public enum Authority: Codable, Sendable, Equatable {
        /// An absolute path.
        case file(String)
        /// PEM, embedded.
        case data(String)
    }

    /// How the user proves who it is.
    public enum Credential: Codable, Sendable, Equatable {
        /// Absolute paths of a client certificate and its key; both may name one file.
        case files(certificate: String, privateKey: String)
        /// PEM, embedded.
        case data(certificate: String, privateKey: String)
        /// A bearer token such as a bootstrap token.
        case token(String)
        /// The absolute path of a bearer token, read again as it changes.
        case tokenFile(String)
    }

    /// The name of the cluster and of the context.
    public var cluster: String
    /// The server, such as `https://api.internal.example.com`.
    public var server: String
    /// Whom to trust.
    public var authority: Authority
    /// The name to verify the server's certificate against, where the URL has another.
    public var serverName: String?
    /// The user's name in the file.
    public var user: String
    /// Who we are.
    public var credential: Credential

    /// Makes a configuration from its parts.
    public init(
        cluster: String,
        server: String,
        authority: Authority,
        serverName: String? = nil,
        user: String,
        credential: Credential
    ) {
        self.cluster = cluster
        self.server = server
        self.authority = authority
        self.serverName = serverName
        self.user = user
        self.credential = credential
    }

    /// The file's text: JSON with sorted names and a final newline, equal for equal values.
    public func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(File(self)), as: UTF8.self) + "\n"
    }

    /// Never the credential.
    public var description: String { "kubeconfig of \(user) for \(cluster) at \(server)" }
}

/// The file as client-go defines it (`k8s.io/client-go/tools/clientcmd/api/v1`).
private struct File: Encodable {
    struct Named<Value: Encodable>: Encodable {
        let name: String
        let value: Value
        let key: String

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: AnyKey.self)
            try container.encode(name, forKey: AnyKey("name"))
            try container.encode(value, forKey: AnyKey(key))
        }
    }

    let apiVersion = "v1"
    let kind = "Config"
    let preferences: [String: String] = [:]
    let clusters: [Named<[String: String]>]
    let users: [Named<[String: String]>]
    let contexts: [Named<[String: String]>]
    let currentContext: String

    enum CodingKeys: String, CodingKey {
        case apiVersion
        case kind
        case preferences
        case clusters
        case users
        case contexts
        case currentContext = "current-context"
    }

    init(_ config: Kubeconfig) {
        var cluster = ["server": config.server]
        switch config.authority {
        case .file(let path): cluster["certificate-authority"] = path
        case .data(let pem): cluster["certificate-authority-data"] = base64(pem)
        }
        cluster["tls-server-name"] = config.serverName
        var user: [String: String] = [:]
        switch config.credential {
        case .files(let certificate, let privateKey):
            user = ["client-certificate": certificate, "client-key": privateKey]
        case .data(let certificate, let privateKey):
            user = ["client-certificate-data": base64(certificate), "client-key-data": base64(privateKey)]
        case .token(let token): user = ["token": token]
        case .tokenFile(let path): user = ["tokenFile": path]
        }
        clusters = [Named(name: config.cluster, value: cluster, key: "cluster")]
        users = [Named(name: config.user, value: user, key: "user")]
        contexts = [
            Named(name: config.cluster, value: ["cluster": config.cluster, "user": config.user], key: "context")
        ]
        currentContext = config.cluster
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
