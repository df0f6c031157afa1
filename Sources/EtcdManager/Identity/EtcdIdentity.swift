// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// Which etcd cluster some data belongs to: on the volume beside the data, and in the state store for ever.
///
/// - Shape: JSON, `identity.json` on the volume, `etcd/<name>/identity.json` in the store.
public struct EtcdIdentity: Codable, Sendable, Equatable {
    /// The cluster's DNS name.
    public var clusterName: String
    /// `main` or `events`.
    public var etcdCluster: String
    /// 32 hex digits, random; also etcd's initial cluster token.
    public var id: String
    /// On the volume: whether etcd has answered from this data once.
    ///
    /// Absent in the store.
    public var initialised: Bool?

    /// Makes an identity from its parts.
    public init(clusterName: String, etcdCluster: String, id: String, initialised: Bool? = nil) {
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
        self.id = id
        self.initialised = initialised
    }

    /// A new identity with a random `id`.
    public static func random(clusterName: String, etcdCluster: String) -> EtcdIdentity {
        var generator = SystemRandomNumberGenerator()
        let digits = (0..<2).map { _ in
            let hex = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
            return String(repeating: "0", count: 16 - hex.count) + hex
        }
        return EtcdIdentity(clusterName: clusterName, etcdCluster: etcdCluster, id: digits.joined(), initialised: false)
    }

    /// What the store keeps: the identity without what only the volume knows.
    public var record: EtcdIdentity { EtcdIdentity(clusterName: clusterName, etcdCluster: etcdCluster, id: id) }

    /// Whether both name one etcd cluster.
    public func isSame(as other: EtcdIdentity) -> Bool { record == other.record }

    /// JSON with sorted names.
    public func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(self)) + [0x0A]
    }

    /// Reads an identity back.
    ///
    /// - Throws: `DecodingError` when the bytes are none.
    public init(decoding bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(EtcdIdentity.self, from: Data(bytes))
    }
}

/// The state store as far as etcd's volume needs it.
public protocol EtcdIdentityStore: Sendable {
    /// The record of an etcd cluster; `nil` when the store says for certain that there is none.
    func read() async throws -> EtcdIdentity?
    /// Records an identity unless one is recorded, and returns what is recorded then.
    func create(_ identity: EtcdIdentity) async throws -> EtcdIdentity
}
