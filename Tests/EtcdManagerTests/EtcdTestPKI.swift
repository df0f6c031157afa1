// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import FoundationEssentials
import NodeOS
import PKI
import SystemPackage

/// One certificate for all members, one for them among themselves, and a client's.
struct EtcdTestPKI {
    /// Who has signed them.
    let authority: Keyset
    let certificates: EtcdCertificates
    let identity: TLSIdentity

    /// What a member's certificate says.
    static func member(_ addresses: [String]) -> CertificateProfile {
        CertificateProfile(commonName: "member", ipAddresses: addresses, usages: [.server, .client])
    }
    /// What a client's certificate says.
    static let client = CertificateProfile(commonName: "client", usages: [.client])

    /// Issues them, and writes what members need into `directory`.
    static func make(in directory: FilePath, addresses: [String]) async throws -> EtcdTestPKI {
        let authority = try KeysetGenerator.certificateAuthority(name: "etcd-ca", commonName: "etcd-ca", now: Date())
        let issuer = CertificateIssuer(keyset: authority)
        let member = try issuer.issue(Self.member(addresses), now: Date())
        let client = try issuer.issue(Self.client, now: Date())
        let peers = try KeysetGenerator.certificateAuthority(name: "peers", commonName: "peers", now: Date())
        let peer = try CertificateIssuer(keyset: peers).issue(Self.member(addresses), now: Date())
        let certificates = EtcdCertificates(in: directory)
        let node = LiveNode()
        try await node.makeDirectory(directory, attributes: FileAttributes())
        for (path, text) in [
            (certificates.authority, authority.bundle), (certificates.peerAuthority, peers.bundle),
            (certificates.serverCertificate, member.certificate), (certificates.serverKey, member.privateKey),
            (certificates.peerCertificate, peer.certificate), (certificates.peerKey, peer.privateKey),
        ] {
            try await node.write(Array(text.utf8), to: path, attributes: FileAttributes(mode: 0o600))
        }
        return EtcdTestPKI(
            authority: authority,
            certificates: certificates,
            identity: TLSIdentity(
                authorities: authority.bundle,
                certificate: client.certificate,
                privateKey: client.privateKey
            )
        )
    }
}
