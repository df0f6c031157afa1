// SPDX-License-Identifier: Apache-2.0

/// How long a lease still holds.
public struct EtcdLease: Sendable, Equatable {
    /// Its number.
    public var id: Int64
    /// Seconds left.
    public var remaining: Int64
    /// Seconds it was granted for.
    public var granted: Int64

    /// Makes a lease from its parts.
    public init(id: Int64, remaining: Int64, granted: Int64) {
        self.id = id
        self.remaining = remaining
        self.granted = granted
    }
}

extension EtcdGateway {
    /// Grants a lease for so many seconds, at least etcd's minimum of two; `id` 0 lets etcd choose the number.
    ///
    /// - Throws: ``EtcdError``; `.rejected` where there is a lease of that number.
    public func grantLease(id: Int64 = 0, seconds: Int64, at endpoint: String) async throws -> EtcdLease {
        let request = ["ID": GatewayNumber(id), "TTL": GatewayNumber(seconds)]
        let answer: LeaseAnswer = try await call("/v3/lease/grant", request, at: endpoint)
        return EtcdLease(id: answer.id, remaining: answer.seconds, granted: answer.seconds)
    }

    /// Ends a lease and deletes its keys; one that is not there is ended already.
    ///
    /// - Throws: ``EtcdError``.
    public func revokeLease(_ id: Int64, at endpoint: String) async throws {
        do {
            let _: GatewayNothing = try await call("/v3/lease/revoke", ["ID": GatewayNumber(id)], at: endpoint)
        } catch EtcdError.rejected(_, let reason) where reason.hasSuffix("requested lease not found") {}
    }

    /// How long a lease still holds; `nil`: there is none of that number.
    ///
    /// - Throws: ``EtcdError``.
    public func lease(_ id: Int64, at endpoint: String) async throws -> EtcdLease? {
        let answer: LeaseAnswer = try await call("/v3/lease/timetolive", ["ID": GatewayNumber(id)], at: endpoint)
        guard answer.seconds >= 0 else { return nil }
        return EtcdLease(id: answer.id, remaining: answer.seconds, granted: answer.granted)
    }

    /// The numbers of all leases.
    ///
    /// - Throws: ``EtcdError``.
    public func leases(at endpoint: String) async throws -> [Int64] {
        let answer: LeasesAnswer = try await call("/v3/lease/leases", GatewayNothing(), at: endpoint)
        return answer.leases?.map(\.id) ?? []
    }
}

private struct LeaseAnswer: Decodable {
    var id: Int64
    var seconds: Int64
    var granted: Int64

    enum CodingKeys: String, CodingKey {
        case id = "ID"
        case seconds = "TTL"
        case granted = "grantedTTL"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.number(.id)
        seconds = try container.number(.seconds)
        granted = try container.number(.granted)
    }
}

private struct LeasesAnswer: Decodable {
    var leases: [LeaseAnswer]?
}
