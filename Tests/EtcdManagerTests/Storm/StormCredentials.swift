// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import FoundationEssentials
import NodeOS
import PKI
import Synchronization
import SystemPackage

/// The keyset of a cluster under test, and what each machine and the client has of it.
///
/// As in a real cluster an operator changes the keyset, and whoever uses it follows one by one.
final class StormCredentials: Sendable {
    private let directory: FilePath
    private let addresses: [String]
    private let state: Mutex<State>

    private struct State {
        var keyset: Keyset
        var identity: TLSIdentity
        var agentsTrustTheirOwnFiles = true
    }

    init(of cluster: RealEtcdCluster) {
        directory = cluster.directory
        addresses = cluster.addresses
        state = Mutex(State(keyset: cluster.authority, identity: cluster.identity))
    }

    /// Who the client is, and whom it trusts.
    var identity: TLSIdentity { state.withLock { $0.identity } }
    /// Whether a machine's agent trusts whom its etcd trusts, or whom the client trusts.
    var agentsTrustTheirOwnFiles: Bool {
        get { state.withLock { $0.agentsTrustTheirOwnFiles } }
        set { state.withLock { $0.agentsTrustTheirOwnFiles = newValue } }
    }
    private var keyset: Keyset { state.withLock { $0.keyset } }

    /// A machine's files.
    func certificates(of member: String) -> EtcdCertificates {
        EtcdCertificates(in: directory.appending("pki-\(member)"))
    }

    // MARK: The operator

    /// A new pair is trusted, and signs nothing yet.
    func create() throws {
        let pairs = try KeysetGenerator.certificateAuthority(name: "etcd-ca", commonName: "etcd-ca-2", now: Date())
            .pairs
        state.withLock { $0.keyset.pairs += pairs }
    }

    /// The youngest pair signs.
    func promote() { state.withLock { $0.keyset.primary = $0.keyset.pairs.last?.id ?? "" } }

    /// What does not sign is trusted no more.
    func distrust() {
        state.withLock { state in
            for index in state.keyset.pairs.indices where state.keyset.pairs[index].id != state.keyset.primary {
                state.keyset.pairs[index].isDistrusted = true
            }
        }
    }

    // MARK: Those who follow

    /// Lets a machine trust whom the keyset trusts, and have certificates of the pair that signs.
    func follow(_ member: String) async throws {
        try await trust(keyset.bundle, on: member)
        let path = certificates(of: member).serverCertificate
        if try await LiveNode().status(of: path) != nil {
            let pem = String(decoding: try await LiveNode().read(path), as: UTF8.self)
            if try CertificateInspector.inspect(pem: pem).isIssued(by: keyset) { return }
        }
        try await renew(member)
    }

    /// Lets a machine trust nobody but these.
    func trust(_ authorities: String, on member: String) async throws {
        try await LiveNode().makeDirectory(directory.appending("pki-\(member)"), attributes: FileAttributes())
        let files = certificates(of: member)
        for path in [files.authority, files.peerAuthority] { try await write(authorities, to: path) }
    }

    /// Issues a machine's certificates anew, each key before its certificate as `CertificateTask` does.
    func renew(_ member: String) async throws {
        let files = certificates(of: member)
        for (key, certificate) in [
            (files.serverKey, files.serverCertificate), (files.peerKey, files.peerCertificate),
        ] {
            let issued = try CertificateIssuer(keyset: keyset).issue(EtcdTestPKI.member(addresses), now: Date())
            try await write(issued.privateKey, to: key)
            try await write(issued.certificate, to: certificate)
        }
    }

    /// Lets the client follow, with a new certificate.
    func followAsClient() throws {
        let issued = try CertificateIssuer(keyset: keyset).issue(EtcdTestPKI.client, now: Date())
        let identity = TLSIdentity(
            authorities: keyset.bundle,
            certificate: issued.certificate,
            privateKey: issued.privateKey
        )
        state.withLock { $0.identity = identity }
    }

    private func write(_ text: String, to path: FilePath) async throws {
        try await LiveNode().write(Array(text.utf8), to: path, attributes: FileAttributes(mode: 0o600))
    }
}
