// SPDX-License-Identifier: Apache-2.0

/// The little a machine knows before it has read the store; user-data writes it to `/etc/kopslite/boot.json`.
///
/// - Note: It holds no secret, for user-data outlives the boot on every cloud.
public struct BootConfig: Codable, Sendable, Equatable {
    /// The state store's URL, such as `file:///srv/kopslite`.
    public var store: String
    /// The cluster's DNS name.
    public var clusterName: String
    /// The name of the instance group the machine belongs to.
    public var instanceGroup: String
    /// The machine's name, which is also its host name, its node name and its key under `status/`.
    public var instance: String
    /// The address other machines reach it at.
    public var address: String
    /// Whose heads it follows first; what it follows names whose heads come next.
    public var trust: [TrustedKey]

    /// Where user-data puts it on a machine.
    public static let path = "/etc/kopslite/boot.json"

    /// Makes a boot configuration from its parts.
    public init(
        store: String,
        clusterName: String,
        instanceGroup: String,
        instance: String,
        address: String,
        trust: [TrustedKey] = []
    ) {
        self.store = store
        self.clusterName = clusterName
        self.instanceGroup = instanceGroup
        self.instance = instance
        self.address = address
        self.trust = trust
    }
}
