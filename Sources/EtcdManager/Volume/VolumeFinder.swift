// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
public import NodeOS
public import SystemPackage

/// Knows which attached disk is meant for a purpose.
///
/// Clouds differ in how they tell.
public protocol VolumeFinder: Sendable {
    /// The one volume that carries a label.
    ///
    /// - Throws: ``Failure`` `volume-not-found` (waiting) while there is none, `volume-ambiguous` (permanent) when
    ///   there are several.
    func volume(labelled label: String) async throws -> AnnouncedVolume
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

    /// The one volume that carries a label.
    public func volume(labelled label: String) async throws -> AnnouncedVolume {
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
        return try announcement.volume(labelled: label, source: path.string)
    }
}

extension VolumeAnnouncement {
    /// The one volume that carries a label; `source` is what messages name.
    ///
    /// - Throws: ``Failure`` as ``VolumeFinder/volume(labelled:)`` does.
    public func volume(labelled label: String, source: String) throws -> AnnouncedVolume {
        let candidates = volumes.filter { $0.labels[label] != nil }
        guard let first = candidates.first else {
            let others = volumes.map(\.name).sorted().joined(separator: ", ")
            throw Failure(
                .waiting,
                code: "volume-not-found",
                "no volume labelled \(label) is attached; \(source) names \(others.isEmpty ? "none" : others)",
                hint: "attach the volume labelled \(label) to this machine"
            )
        }
        guard candidates.count == 1 else {
            let names = candidates.map { "\($0.name) (\($0.device))" }.sorted().joined(separator: ", ")
            throw Failure(
                .permanent,
                code: "volume-ambiguous",
                "\(candidates.count) volumes are labelled \(label): \(names)",
                hint: "detach or relabel all but the one that holds etcd's data"
            )
        }
        return first
    }
}
