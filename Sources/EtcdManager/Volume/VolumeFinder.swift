// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
public import NodeOS
public import SystemPackage

/// Knows which attached disks are meant for a purpose.
///
/// Clouds differ in how they tell.
public protocol VolumeFinder: Sendable {
    /// The volumes of a cluster that carry a label, at least one, sorted by name; each is another member's.
    ///
    /// - Throws: ``Failure`` `volume-not-found` (waiting) while there is none, `volume-ambiguous` and
    ///   `volume-label-invalid` (permanent) when only a person can tell them apart.
    func volumes(labelled label: String, of clusterName: String) async throws -> [AnnouncedVolume]
}

/// Finds volumes in the file that a cloud without a metadata service writes on the machine.
///
/// - Shape: ``VolumeAnnouncement`` at `/etc/kopslite/volumes.json`.
public struct AnnouncementFile: VolumeFinder {
    /// Where the local cloud announces volumes.
    public static let path: FilePath = "/etc/kopslite/volumes.json"

    private let node: any NodeReader
    private let path: FilePath

    /// Makes a finder that reads a machine's announcement anew at each call.
    public init(node: any NodeReader, path: FilePath = Self.path) {
        self.node = node
        self.path = path
    }

    /// The volumes of a cluster that carry a label.
    public func volumes(labelled label: String, of clusterName: String) async throws -> [AnnouncedVolume] {
        guard try await node.status(of: path) != nil else {
            throw Failure(
                .waiting,
                code: "volume-not-found",
                "no volume is attached for \(label): \(path) is not there",
                hint: "attach a volume labelled \(label); the cloud then writes \(path)"
            )
        }
        let announcement: VolumeAnnouncement
        do {
            announcement = try JSONDecoder().decode(VolumeAnnouncement.self, from: Data(try await node.read(path)))
        } catch let error as DecodingError {
            throw Failure(
                .permanent,
                code: "volumes-damaged",
                "\(path) does not list volumes as JSON",
                hint: "write it again",
                cause: error
            )
        }
        return try announcement.volumes(labelled: label, of: clusterName, source: path.string)
    }
}

extension VolumeAnnouncement {
    /// The volumes of a cluster that carry a label; `source` is what messages name.
    ///
    /// - Throws: ``Failure`` as ``VolumeFinder/volumes(labelled:of:)`` does.
    public func volumes(
        labelled label: String,
        of clusterName: String,
        source: String
    ) throws -> [AnnouncedVolume] {
        let found = volumes.filter { $0.labels[label] != nil && ($0.cluster ?? clusterName) == clusterName }
            .sorted { $0.name < $1.name }
        guard !found.isEmpty else {
            let others = volumes.map { $0.name + ($0.cluster.map { " of \($0)" } ?? "") }.sorted()
            throw Failure(
                .waiting,
                code: "volume-not-found",
                "no volume of \(clusterName) labelled \(label) is attached; \(source) names "
                    + (others.isEmpty ? "none" : others.joined(separator: ", ")),
                hint:
                    "attach the volume labelled \(label) and \(AnnouncedVolume.clusterLabel)=\(clusterName) to this machine"
            )
        }
        var seen: [String: AnnouncedVolume] = [:]
        for volume in found {
            let member = try EtcdMembership(label: volume.labels[label] ?? "", of: volume.name).member
            guard let other = seen.updateValue(volume, forKey: member) else { continue }
            throw Failure(
                .permanent,
                code: "volume-ambiguous",
                "two volumes are labelled \(label) for member \(member): \(other.text), \(volume.text)",
                hint: "detach or relabel the one that does not hold etcd's data"
            )
        }
        return found
    }
}

extension AnnouncedVolume {
    /// Names the cluster that a volume is for; as kops' tag.
    fileprivate static let clusterLabel = "KubernetesCluster"
    /// The cluster that it is labelled for.
    fileprivate var cluster: String? { labels[Self.clusterLabel] }
}
