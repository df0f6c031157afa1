// SPDX-License-Identifier: Apache-2.0

/// The only place that knows where things are in a store.
///
/// ```
/// kopslite-store.json                                                       what the store is known to do
/// <cluster>/spec/cluster.json  spec/instancegroups/<name>.json  spec/sshcredentials/<name>.json  what the user declared
/// <cluster>/generations/<n>/manifest.json  generations/<n>/objects/<key>     what nodes follow: immutable
/// <cluster>/head                                                            the one mutable pointer
/// <cluster>/pki/<keyset>.json                                               public certificates
/// <cluster>/pki/signing.json                                                whose heads are believed
/// <cluster>/private/<reader>/<keyset or secret>.json                        sealed to that reader
/// <cluster>/private/admin/keyring.json                                      readable by operators only
/// <cluster>/status/<instance>/<agent>.json                                  written by that machine only
/// <cluster>/status/<instance>/drift.json                                    written by that machine only
/// <cluster>/discovery/api.json                                              where the API servers answer
/// <cluster>/etcd/<main|events>/identity.json                                who is a member, with which data
/// <cluster>/etcd/<main|events>/lease.json                                   which machine decides
/// <cluster>/etcd/<main|events>/command.json                                 what an operator wants done
/// <cluster>/etcd/<main|events>/backup-request.json                          whether operators want a backup now
/// <cluster>/etcd/<main|events>/reports/<member>.json                        how a member is
/// <cluster>/etcd/<main|events>/backups/<name>/<n>                           a piece of a snapshot: immutable
/// <cluster>/etcd/<main|events>/backups/<name>/meta.json                     written last: without it there is no backup
/// <cluster>/etcd/<main|events>/backups/<name>/proof.json                    whether it could be restored
/// ```
public struct ClusterLayout: Sendable, Equatable {
    /// The cluster's DNS name, which is also its prefix in the store.
    public let clusterName: String

    /// Makes the layout of a cluster.
    public init(clusterName: String) { self.clusterName = clusterName }

    func key(_ parts: String...) throws(StoreError) -> StoreKey { try StoreKey(parts: [clusterName] + parts) }

    /// Everything of the cluster.
    public func root() throws(StoreError) -> StoreKey { try key() }
    /// Everything that was declared.
    public func declared() throws(StoreError) -> StoreKey { try key("spec") }
    /// The declared cluster.
    public func cluster() throws(StoreError) -> StoreKey { try key("spec", "cluster.json") }
    /// All declared instance groups.
    public func instanceGroups() throws(StoreError) -> StoreKey { try key("spec", "instancegroups") }
    /// One declared instance group.
    public func instanceGroup(_ name: String) throws(StoreError) -> StoreKey {
        try key("spec", "instancegroups", name + ".json")
    }
    /// A declared SSH key.
    public func sshCredential(_ name: String) throws(StoreError) -> StoreKey {
        try key("spec", "sshcredentials", name + ".json")
    }
    /// The pointer to the current generation.
    public func head() throws(StoreError) -> StoreKey { try key("head") }
    /// All generations.
    public func generations() throws(StoreError) -> StoreKey { try key("generations") }
    /// The list of a generation's objects with their digests.
    public func manifest(_ generation: Int) throws(StoreError) -> StoreKey {
        try key("generations", String(generation), "manifest.json")
    }
    /// An object of a generation.
    public func object(_ name: String, in generation: Int) throws(StoreError) -> StoreKey {
        try StoreKey(
            parts: [clusterName, "generations", String(generation), "objects"]
                + name.split(separator: "/").map(String.init)
        )
    }
    /// A keyset's public certificates.
    public func keyset(_ name: String) throws(StoreError) -> StoreKey { try key("pki", name + ".json") }
    /// Whose heads are believed, for operators without the keyring.
    public func trust() throws(StoreError) -> StoreKey { try keyset("signing") }
    /// A secret, or a keyset with its private keys, for one reader.
    public func secret(_ name: String, for reader: SecretReader) throws(StoreError) -> StoreKey {
        try key("private", reader.rawValue, name + ".json")
    }
    /// All secrets of a reader.
    public func secrets(for reader: SecretReader) throws(StoreError) -> StoreKey {
        try key("private", reader.rawValue)
    }
    /// The operators' keyring, where it is kept in the store.
    public func keyring() throws(StoreError) -> StoreKey { try secret(Self.keyringName, for: .admin) }
    static let keyringName = "keyring"
    /// All reports.
    public func statuses() throws(StoreError) -> StoreKey { try key("status") }
    /// An agent's report.
    public func status(of agent: String, on instance: String) throws(StoreError) -> StoreKey {
        try key("status", instance, agent + ".json")
    }
    /// All that a machine writes of itself.
    public func statuses(on instance: String) throws(StoreError) -> StoreKey { try key("status", instance) }
    /// Where a machine differs from what it was told to be.
    public func drift(on instance: String) throws(StoreError) -> StoreKey { try status(of: "drift", on: instance) }
    /// Where the API servers answer, one object for all of them: a worker reads it and needs to list nothing.
    public func endpoints() throws(StoreError) -> StoreKey { try key("discovery", "api.json") }
    /// What machines share of an etcd cluster, such as `identity.json` or `reports/a.json`.
    public func etcdRegister(_ etcdCluster: String, _ path: String) throws(StoreError) -> StoreKey {
        try StoreKey(parts: [clusterName, "etcd", etcdCluster] + path.split(separator: "/").map(String.init))
    }
    /// Which etcd cluster a volume must hold.
    public func etcdIdentity(_ name: String) throws(StoreError) -> StoreKey { try key("etcd", name, "identity.json") }
    /// All backups of an etcd cluster, whole or not.
    public func backups(of etcdCluster: String) throws(StoreError) -> StoreKey {
        try key("etcd", etcdCluster, "backups")
    }
    /// What belongs to a backup: `meta.json`, `proof.json`, or a piece by its number.
    public func backup(_ name: String, _ object: String, of etcdCluster: String) throws(StoreError) -> StoreKey {
        try key("etcd", etcdCluster, "backups", name, object)
    }
}
