// SPDX-License-Identifier: Apache-2.0

/// A disk that the cloud attached to this machine, as the cloud announces it.
public struct AnnouncedVolume: Codable, Sendable, Equatable {
    /// The volume's name in the cloud, such as `a.etcd-main`.
    public var name: String
    /// Where the machine sees it, such as `/dev/loop7` or `/dev/disk/by-id/…`; `nil` where the serial number tells.
    public var device: String?
    /// What the disk says of itself, such as `vol-0123456789abcdef0`; counts before the device.
    public var serial: String?
    /// In bytes; `nil` when the cloud does not say.
    public var size: Int64?
    /// Whether the cloud vouches that no other machine has it at the same time; `nil` as `false`.
    public var exclusive: Bool?
    /// What it is found by, such as `k8s.io/etcd/main: a/a`.
    public var labels: [String: String]

    /// Makes a volume from its parts.
    public init(
        name: String,
        device: String? = nil,
        serial: String? = nil,
        size: Int64? = nil,
        exclusive: Bool? = nil,
        labels: [String: String]
    ) {
        self.name = name
        self.device = device
        self.serial = serial
        self.size = size
        self.exclusive = exclusive
        self.labels = labels
    }

    /// Whether no other machine has it while this one does.
    public var isExclusive: Bool { exclusive == true }
    /// The volume for a person, such as `a.etcd-main (/dev/loop7)`.
    var text: String { "\(name) (\(serial.map { "serial \($0)" } ?? device ?? "no device"))" }
}

/// Every volume attached to a machine.
///
/// - Shape: JSON, `{"volumes": [{"name", "device", "serial", "size", "exclusive", "labels"}]}`.
public struct VolumeAnnouncement: Codable, Sendable, Equatable {
    /// The volumes, in no particular order.
    public var volumes: [AnnouncedVolume]

    /// Makes an announcement.
    public init(volumes: [AnnouncedVolume]) { self.volumes = volumes }
}
