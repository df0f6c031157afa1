// SPDX-License-Identifier: Apache-2.0

extension EtcdGateway {
    /// Where Kubernetes keeps what API servers say of themselves.
    private static let staleLeases = "/registry/masterleases/"

    /// Forgets the API servers of before a restore, by way of a member: their leases came back with the data, and the
    /// `kubernetes` service would send clients to addresses where nobody answers.
    ///
    /// Call it while no API server runs; each writes its own again when it starts.
    ///
    /// - Returns: How many there were.
    /// - Throws: ``EtcdError``.
    /// - Source: kops `docs/operations/etcd_backup_restore_encryption.md`; Kubernetes `pkg/controlplane/reconcilers/lease.go`.
    @discardableResult
    public func clearStaleLeases(at endpoint: String) async throws -> Int64 {
        try await deletePrefix(Array(Self.staleLeases.utf8), at: endpoint)
    }
}
