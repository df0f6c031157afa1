// SPDX-License-Identifier: Apache-2.0
import AddonManager
import Fetch
import KopsModel
import KubeAPI
import NodeBuilders
import NodeOS
import SystemPackage

/// The API server on this machine's loopback address, reached with the administrator's certificate.
///
/// nodeup renews the certificate, so the files are read at each use and a client is kept while they stay the same: with
/// it stay its connections and what it learnt of the server's kinds.
actor LocalAPIServer: ControlPlaneAPI {
    private let nodeState: NodeState
    private let http: any HTTPClient
    private let timeouts: Timeouts
    private var kept: (key: [String], client: KubeClient)?

    init(
        nodeState: NodeState,
        http: any HTTPClient,
        timeouts: Timeouts = Timeouts(connect: .seconds(2), total: .seconds(20), stall: .seconds(10))
    ) {
        self.nodeState = nodeState
        self.http = http
        self.timeouts = timeouts
    }

    func ready() async throws {
        let client = try await client()
        do {
            try await client.healthz()
        } catch {
            try Task.checkCancellation()
            throw Failure(
                .waiting,
                code: "api-server-not-ready",
                "the API server on this machine is not ready",
                hint: "look at its container and at kubelet: `journalctl -u kubelet`",
                cause: error
            )
        }
    }

    func apply(_ object: JSONValue) async throws -> Bool {
        try await KubeTarget(try await client()).apply(object)
    }

    func labels(ofNode name: String) async throws -> [String: String]? {
        let client = try await client()
        do {
            let node = try await client.get(ObjectReference(apiVersion: "v1", kind: "Node", name: name))
            return node.map { ($0["metadata"]?["labels"]?.object ?? [:]).compactMapValues(\.string) }
        } catch let error as KubeError {
            throw error.isTransient ? AddonError.transient("\(error)") : .permanent("\(error)")
        } catch let error as FetchError {
            throw AddonError.transient("\(error)")
        }
    }

    /// A merge patch and no apply: applying would make a node that nobody registered.
    func label(node name: String, _ labels: [String: String]) async throws {
        let client = try await client()
        do {
            let path = try await client.path(of: ObjectReference(apiVersion: "v1", kind: "Node", name: name))
            try await client.merge(["metadata": ["labels": .object(labels.mapValues(JSONValue.string))]], into: path)
        } catch let error as KubeError {
            throw error.isTransient ? AddonError.transient("\(error)") : .permanent("\(error)")
        } catch let error as FetchError {
            throw AddonError.transient("\(error)")
        }
    }

    /// A client with the certificate as it is now.
    func client() async throws -> KubeClient {
        let port = try await nodeState.inputs().config.network.apiPort
        let identity = try await nodeState.identity(
            authority: NodePaths.authority,
            pair: NodePaths.adminPKI.appending("admin"),
            of: "the API server's administrator"
        )
        let key = ["\(port)", identity.authorities, identity.certificate ?? "", identity.privateKey ?? ""]
        if let kept, kept.key == key { return kept.client }
        let client = KubeClient(
            endpoint: "https://127.0.0.1:\(port)",
            identity: identity,
            http: http,
            timeouts: timeouts
        )
        kept = (key, client)
        return client
    }
}

extension NodeState {
    /// Whom to trust and who we are, from files nodeup keeps.
    ///
    /// - Throws: ``Failure`` `credentials-missing` (waiting) naming the file that is not there.
    func identity(authority: FilePath, pair: FilePath, of whom: String) async throws -> TLSIdentity {
        var texts: [String] = []
        for path in [authority, FilePath(pair.string + ".crt"), FilePath(pair.string + ".key")] {
            guard try await node.status(of: path) != nil else {
                throw Failure(
                    .waiting,
                    code: "credentials-missing",
                    "\(path) for \(whom) is not there",
                    hint: "nodeup issues it: `nodeup status`"
                )
            }
            texts.append(String(decoding: try await node.read(path), as: UTF8.self))
        }
        return TLSIdentity(authorities: texts[0], certificate: texts[1], privateKey: texts[2])
    }
}
