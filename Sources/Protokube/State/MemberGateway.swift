// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// The members' etcd, spoken to with the certificate as it is now: nodeup renews it while protokube runs.
struct MemberGateway: EtcdAPI {
    let place: EtcdPlace

    func status(of endpoint: String) async throws -> EtcdStatus { try await place.gateway().status(of: endpoint) }
    func members(at endpoint: String) async throws -> EtcdMembers { try await place.gateway().members(at: endpoint) }
    func addLearner(peerURL: String, at endpoint: String) async throws -> EtcdMember {
        try await place.gateway().addLearner(peerURL: peerURL, at: endpoint)
    }
    func promote(_ id: UInt64, at endpoint: String) async throws {
        try await place.gateway().promote(id, at: endpoint)
    }
    func remove(_ id: UInt64, at endpoint: String) async throws { try await place.gateway().remove(id, at: endpoint) }
}
