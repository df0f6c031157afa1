// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The member that a snapshot becomes.
public struct RestoredMember: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Where its peers will reach it.
    public var peerURL: String
    /// Every member of the new cluster, this one among them: name and peer URL.
    public var peers: [EtcdUnit.Peer]
    /// etcd's initial cluster token: another one after each restore, so that members of before cannot take part.
    public var token: String

    /// Makes a member from its parts.
    public init(name: String, peerURL: String, peers: [EtcdUnit.Peer], token: String) {
        self.name = name
        self.peerURL = peerURL
        self.peers = peers
        self.token = token
    }

    /// `snapshot restore` of a file into a directory that is not there.
    func arguments(restoring file: FilePath, into directory: FilePath) -> [String] {
        [
            "snapshot", "restore", file.string, "--data-dir=\(directory)", "--name=\(name)",
            "--initial-cluster=\(peers.map { "\($0.name)=\($0.url)" }.joined(separator: ","))",
            "--initial-advertise-peer-urls=\(peerURL)", "--initial-cluster-token=\(token)",
        ]
    }
}
