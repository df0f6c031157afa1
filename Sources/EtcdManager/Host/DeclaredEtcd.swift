// SPDX-License-Identifier: Apache-2.0

/// etcd as it is declared at each look: what declares it may have changed since the last.
public struct DeclaredEtcd: EtcdSupervisor {
    private let supervisor: @Sendable () async throws -> any EtcdSupervisor

    /// Makes one that asks for its supervisor at each use.
    public init(_ supervisor: @escaping @Sendable () async throws -> any EtcdSupervisor) {
        self.supervisor = supervisor
    }

    /// What runs now, with the certificates it has now.
    public func process() async throws -> LocalSight.Process {
        let supervisor = try await supervisor()
        try await supervisor.renewCertificates()
        return try await supervisor.process()
    }
    /// Has etcd run as declared.
    public func ensureRunning(_ start: EtcdStart) async throws { try await supervisor().ensureRunning(start) }
    /// Ends etcd.
    public func stop() async throws { try await supervisor().stop() }
    /// Throws while no program of the declared release could be started.
    public func checkStart() async throws { try await supervisor().checkStart() }
    /// Throws while what is installed is not of the declared release.
    public func checkInstalled() async throws { try await supervisor().checkInstalled() }
}

/// The members' etcd, spoken to as is declared at each call: certificates are renewed while a program runs.
public struct DeclaredGateway: EtcdAPI {
    private let gateway: @Sendable () async throws -> EtcdGateway

    /// Makes one that asks for its gateway at each call.
    public init(_ gateway: @escaping @Sendable () async throws -> EtcdGateway) { self.gateway = gateway }

    /// What a member says of itself.
    public func status(of endpoint: String) async throws -> EtcdStatus { try await gateway().status(of: endpoint) }
    /// The members of the cluster.
    public func members(at endpoint: String) async throws -> EtcdMembers { try await gateway().members(at: endpoint) }
    /// Adds a member without a vote.
    public func addLearner(peerURL: String, at endpoint: String) async throws -> EtcdMember {
        try await gateway().addLearner(peerURL: peerURL, at: endpoint)
    }
    /// Gives a learner its vote.
    public func promote(_ id: UInt64, at endpoint: String) async throws {
        try await gateway().promote(id, at: endpoint)
    }
    /// Takes a member out.
    public func remove(_ id: UInt64, at endpoint: String) async throws { try await gateway().remove(id, at: endpoint) }
}
