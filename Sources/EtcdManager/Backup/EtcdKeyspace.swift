// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// A running etcd's keys, as far as a restore has to change them.
public protocol EtcdKeyspace: Sendable {
    /// Deletes every key below a prefix, and says how many there were.
    func deletePrefix(_ prefix: String) async throws -> Int64
}

extension EtcdKeyspace {
    /// Forgets the API servers of before a restore: their leases came back with the data, and the `kubernetes` service would
    /// send clients to addresses where nobody answers.
    ///
    /// Call it while no API server runs; each writes its own again when it starts.
    ///
    /// - Returns: How many there were.
    /// - Source: kops `docs/operations/etcd_backup_restore_encryption.md`; Kubernetes `pkg/controlplane/reconcilers/lease.go`.
    @discardableResult
    public func clearStaleLeases() async throws -> Int64 { try await deletePrefix(staleLeases) }
}

/// Where Kubernetes keeps what API servers say of themselves.
private let staleLeases = "/registry/masterleases/"

extension EtcdGateway {
    /// Forgets the API servers of before a restore, as ``EtcdKeyspace/clearStaleLeases()`` does, by way of a member.
    ///
    /// - Returns: How many there were.
    /// - Throws: ``EtcdError``.
    @discardableResult
    public func clearStaleLeases(at endpoint: String) async throws -> Int64 {
        try await deletePrefix(Array(staleLeases.utf8), at: endpoint)
    }
}

/// A running etcd's keys, by etcd's own client.
public struct EtcdctlKeyspace: EtcdKeyspace {
    private let commands: EtcdCommands

    /// Reaches a member by its client URL.
    public init(runner: any CommandRunner, tools: EtcdTools, endpoint: String, client: EtcdClientFiles?) {
        commands = EtcdCommands(
            runner: runner,
            tools: tools,
            endpoint: endpoint,
            client: client,
            limit: .seconds(60)
        )
    }

    /// Deletes every key below a prefix, and says how many there were.
    ///
    /// - Throws: ``Failure`` `etcd-not-answering` (transient).
    public func deletePrefix(_ prefix: String) async throws -> Int64 { try await commands.delete(prefix: prefix) }
}
