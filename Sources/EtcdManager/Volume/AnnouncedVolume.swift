// SPDX-License-Identifier: Apache-2.0

/// A disk that the cloud attached to this machine, as the cloud announces it.
public struct AnnouncedVolume: Codable, Sendable, Equatable {
    /// The volume's name in the cloud, such as `a.etcd-main`.
    public var name: String
    /// Where the machine sees it, such as `/dev/loop7`.
    public var device: String
    /// In bytes; `nil` when the cloud does not say.
    public var size: Int64?
    /// What it is found by, such as `k8s.io/etcd/main: a/a`.
    public var labels: [String: String]

    /// Makes a volume from its parts.
    public init(name: String, device: String, size: Int64? = nil, labels: [String: String]) {
        self.name = name
        self.device = device
        self.size = size
        self.labels = labels
    }
}

/// Every volume attached to a machine.
///
/// - Shape: JSON, `{"volumes": [{"name", "device", "size", "labels"}]}`.
public struct VolumeAnnouncement: Codable, Sendable, Equatable {
    /// The volumes, in no particular order.
    public var volumes: [AnnouncedVolume]

    /// Makes an announcement.
    public init(volumes: [AnnouncedVolume]) { self.volumes = volumes }
}
