// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import KopsModel
import KubeAPI
import NodeOS

/// The Lease of the API servers' address, in this machine's API server.
///
/// - Source: `coordination.k8s.io/v1`; the fields mean what they mean for other programs of Kubernetes.
struct KubeLeases: AddressLeases {
    static let name = "kopslite-api-address"
    private static let collection = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
    private static let path = "\(collection)/\(name)"
    /// Of the errors a connection can end with, the one that says for certain that nobody listens.
    private static let refused = "connection-refused"

    /// Limits that leave time for a second try within a tenure.
    static let timeouts = Timeouts(connect: .seconds(1), total: .seconds(2), stall: .seconds(2))

    let api: LocalAPIServer
    let timing: AddressElection.Timing
    let now: @Sendable () -> Date

    func ready() async throws {
        do {
            try await api.client().healthz()
        } catch let error as KubeError {
            throw NotServing(description: "\(error)")
        } catch let error as FetchError where error.code == Self.refused {
            throw NotServing(description: "\(error)")
        }
    }

    func read() async throws -> AddressLease? {
        try await api.client().get(Self.path).map(Self.lease)
    }

    func write(_ lease: AddressLease) async throws -> AddressLease {
        let client = try await api.client()
        let object = object(lease)
        let written =
            lease.version == nil
            ? try await client.create(object, in: Self.collection) : try await client.replace(object, at: Self.path)
        let result = Self.lease(written)
        guard result.version != lease.version else {
            // Who watches would see no sign of life.
            throw Failure(
                .transient,
                code: "lease-unchanged",
                "the API server took the renewal of Lease \(Self.name) for no change",
                hint: "check that this machine's clock goes"
            )
        }
        return result
    }

    private static func lease(_ object: JSONValue) -> AddressLease {
        let spec = object["spec"]
        let transitions = if case .int(let count)? = spec?["leaseTransitions"] { count } else { 0 }
        return AddressLease(
            holder: spec?["holderIdentity"]?.string ?? "",
            transitions: transitions,
            acquired: spec?["acquireTime"]?.string,
            version: object["metadata"]?["resourceVersion"]?.string
        )
    }

    private func object(_ lease: AddressLease) -> JSONValue {
        let time = Self.microTime(now())
        var metadata: JSONValue = ["name": .string(Self.name), "namespace": "kube-system"]
        if let version = lease.version { metadata["resourceVersion"] = .string(version) }
        return [
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
            "spec": [
                "holderIdentity": .string(lease.holder),
                "leaseDurationSeconds": .int(Int(timing.lease.components.seconds)),
                "acquireTime": .string(lease.acquired ?? time),
                "renewTime": .string(time),
                "leaseTransitions": .int(lease.transitions),
            ],
        ]
    }

    /// A MicroTime of Kubernetes, which has just six digits behind the point.
    static func microTime(_ date: Date) -> String {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        let digits = String(1_000_000 + Int((date.timeIntervalSince1970 - seconds) * 1_000_000)).dropFirst()
        let whole = Date(timeIntervalSince1970: seconds).formatted(.iso8601)
        return "\(whole.dropLast()).\(digits)Z"
    }
}
