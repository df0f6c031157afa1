// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks
import SystemPackage

/// A sparse image file with its labels beside it.
///
/// Only a deletion of the cluster removes it.
struct LocalVolumeTask: LocalTask {
    struct Found: Sendable, Equatable {
        var record: VolumeRecord?
        /// In bytes; `nil` when there is no image.
        var imageSize: Int64?
    }

    enum Step: LocalStep {
        case image(size: Int64, from: Int64?)
        case record(VolumeRecord, old: VolumeRecord?)

        var change: Change {
            switch self {
            case .image(let size, let old): Change("size", from: old.map { .text("\($0) B") }, to: .text("\(size) B"))
            case .record(let new, let old):
                Change("labels", from: old.map { .text(Self.text($0)) }, to: .text(Self.text(new)))
            }
        }

        var action: CloudChange.Action {
            switch self {
            case .image(_, from: nil), .record(_, old: nil): .create
            default: .modify
            }
        }

        private static func text(_ record: VolumeRecord) -> String {
            let labels = record.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return (["machine=\(record.machine)"] + labels).joined(separator: " ")
        }
    }

    let record: VolumeRecord

    let kind = "volume"
    var name: String { record.name }
    var after: [TaskID] { [] }
    /// In bytes.
    private var size: Int64 { Int64(record.size) << 30 }

    init(_ volume: DesiredVolume) throws {
        try LocalNames.check(volume: volume.name)
        try LocalNames.check(machine: volume.machine)
        guard (1...65536).contains(volume.size) else {
            throw Failure(
                .permanent,
                code: "bad-volume-size",
                "volume \(volume.name) cannot have \(volume.size) GiB",
                hint: "use 1 to 65536 GiB"
            )
        }
        record = VolumeRecord(
            name: volume.name,
            zone: volume.zone,
            size: volume.size,
            labels: volume.labels,
            machine: volume.machine
        )
    }

    func find(on host: LocalHostReader) async throws -> Found? {
        let found = Found(
            record: try host.volume(name),
            imageSize: LocalFiles.size(of: host.layout.image(ofVolume: name))
        )
        return found == Found() ? nil : found
    }

    func plan(from found: Found?) throws -> [Step] {
        var steps: [Step] = []
        // The image's own size counts for nothing once it is there but for growing: data is never cut off.
        if let record = found?.record, record.size > self.record.size, found?.imageSize != nil {
            throw Failure(
                .permanent,
                code: "volume-shrinks",
                "volume \(name) has \(record.size) GiB and cannot shrink to \(self.record.size)",
                hint: "keep its size; a volume can only grow"
            )
        }
        let grows = (found?.record?.size ?? 0) < record.size && (found?.imageSize ?? 0) < size
        if found?.imageSize == nil || grows { steps.append(.image(size: size, from: found?.imageSize)) }
        if found?.record != record { steps.append(.record(record, old: found?.record)) }
        return steps
    }

    // The image before the record: a record says that the image is whole. A machine sees new labels at its next start,
    // and a grown image at once; after a crash in between at its next start, too.
    func apply(_ step: Step, on host: LocalHost) async throws {
        try LocalFiles.makeDirectory(host.layout.volumes, mode: .ownerReadWriteExecute)
        switch step {
        case .image(let size, let old):
            try LocalFiles.setSize(size, of: host.layout.image(ofVolume: name))
            if old != nil { try await LoopDevice.resize(host.layout.image(ofVolume: name)) }
        case .record(let record, _):
            try LocalFiles.write(LocalJSON.encode(record), to: host.layout.record(ofVolume: name))
        }
    }
}
