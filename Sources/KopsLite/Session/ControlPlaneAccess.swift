// SPDX-License-Identifier: Apache-2.0
import Fetch
import Foundation
import KopsModel
import KubeAPI
import NodeOS
import PKI
import StateStore

/// The way to a cluster's API server for whoever may read its CA: a fresh certificate, and the published address.
struct ControlPlaneAccess {
    let repository: ClusterRepository
    let cluster: ResolvedCluster
    let now: Date

    /// A client with an hour's certificate.
    func client(_ http: any HTTPClient) async throws -> any KubeReading {
        let credentials = try await credentials(lifetime: .seconds(3600))
        let address = try await endpoint()
        return LiveKubeAPI(
            client: KubeClient(
                endpoint: "https://\(cluster.network.apiHost):\(address.port)",
                address: address.address,
                identity: TLSIdentity(
                    authorities: credentials.authorities,
                    certificate: credentials.certificate,
                    privateKey: credentials.privateKey
                ),
                http: http
            )
        )
    }

    /// What a kubeconfig needs; the certificate is valid for the time given, and no longer than the cluster's authority.
    ///
    /// - Throws: ``Failure`` `keyset-missing` before the first update, `no-api-endpoint` before a control-plane machine
    ///   has published its address.
    func credentials(lifetime: Duration) async throws -> AdminCredentials {
        let keyset = try await repository.secrets(of: cluster.name).keyset(KeysetName.kubernetes).keyset
        let address = try await endpoint()
        let issued = try CertificateIssuer(keyset: keyset).issue(
            CertificateProfile(
                commonName: "kopslite-admin",
                organizations: ["system:masters"],
                usages: [.client],
                lifetime: lifetime
            ),
            now: now
        )
        return AdminCredentials(
            server: "https://\(address.address):\(address.port)",
            serverName: cluster.network.apiHost,
            authorities: keyset.bundle,
            certificate: issued.certificate,
            privateKey: issued.privateKey
        )
    }

    /// Where an API server answers: the address that moves among several, once one of them is there, else the only one's.
    private func endpoint() async throws -> EndpointRecord {
        let layout = ClusterLayout(clusterName: cluster.name)
        let records = try await APIEndpoints(store: repository.store, layout: layout).records()
        if var record = records.min(by: { $0.key < $1.key })?.value {
            record.address = cluster.network.apiAddress ?? record.address
            return record
        }
        throw Failure(
            .waiting,
            code: "no-api-endpoint",
            "no control-plane machine of \(cluster.name) has published its address yet",
            hint: "kopslite watch cluster \(cluster.name)"
        )
    }
}

/// An API server as `validate` reads it.
private struct LiveKubeAPI: KubeReading {
    let client: KubeClient

    func get(_ path: String) async throws -> JSONValue { try await client.get(path) ?? .null }
    func delete(_ path: String) async throws { _ = try await client.delete(path) }
}
