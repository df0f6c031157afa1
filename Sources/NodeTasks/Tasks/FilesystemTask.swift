// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// A file system on a device.
///
/// Only a blank device is ever formatted, and nothing is ever erased.
///
/// - Shape: `filesystem` {`device`, `type`, `label`, `ensure`}. Absent, the device has to be blank already.
/// - A run that dies while it formats leaves a mark in `/run` with the device's size; while that mark stands and the
///   device still has neither signature nor partition table, the next run formats again. A reboot ends that right.
public struct FilesystemTask: DeclaredTask {
    /// The device as it is.
    public struct Found: Sendable, Equatable {
        var device: BlockDeviceStatus
        /// The size noted by a run that began to format; `nil` when none did.
        var markedSize: Int64?
    }

    /// Effects on a device.
    public enum Step: PlannedStep {
        case format(String, label: String?, isRepeated: Bool)
        /// Drops the mark of a format that is done.
        case settle

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .format(let type, let label, let isRepeated):
                Change(
                    "filesystem",
                    from: isRepeated ? .text("half-made") : nil,
                    to: .text(type + (label.map { " \($0)" } ?? ""))
                )
            case .settle: Change("mark of a begun format", from: .text("set"))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "filesystem"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// The device.
    public let device: FilePath
    let type: String
    let label: String?
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a file system.
    public init(
        device: FilePath,
        type: String,
        label: String? = nil,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(device.string)
        self.after = after
        self.device = device
        self.type = type
        self.label = label
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "device", "type", "label")
        let ensure = try fields.ensure()
        self.init(
            device: try fields.path("device"),
            type: ensure == .present || fields.has("type") ? try fields.name("type") : "",
            label: fields.has("label") ? try fields.name("label") : nil,
            ensure: ensure
        )
    }

    /// Never undone: that would destroy what is on the device.
    public var naming: [String: String]? { nil }
    /// What it makes and needs.
    public var claims: Claims {
        // The name, not the path: mounts use the device, and making a file there is another task's business.
        ensure == .present
            ? Claims(owns: [.name("filesystem:\(device)")], carries: [device], reactsTo: []) : Claims()
    }

    private var mark: FilePath {
        FilePath("/var/lib/kopslite/filesystems").appending(device.components.map(\.string).joined(separator: "-"))
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        guard let status = try await node.blockDevice(device) else { return nil }
        let text = try await node.text(of: mark)
        return Found(device: status, markedSize: text.flatMap { Int64($0.filter(\.isNumber)) })
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else {
            guard let found, !found.device.isBlank else { return [] }
            throw notBlank(found.device, "\(device) is to hold nothing")
        }
        guard let found else { return [.format(type, label: label, isRepeated: false)] }
        if found.device.signature == type, found.device.partitionTable == nil {
            guard label == nil || found.device.label == label else {
                throw conflict(
                    "label-mismatch",
                    "\(device) holds \(type) labelled \(found.device.label ?? "nothing"); \(label ?? "") is declared",
                    hint: "make sure that it is the right device; if it is, label it by hand"
                )
            }
            return found.markedSize == nil ? [] : [.settle]
        }
        if found.device.isBlank { return [.format(type, label: label, isRepeated: false)] }
        let isHalfMade = found.device.signature == nil && found.device.partitionTable == nil
        guard isHalfMade, found.markedSize == found.device.size else {
            throw notBlank(found.device, "\(device) is to be formatted as \(type)")
        }
        return [.format(type, label: label, isRepeated: true)]
    }

    private func notBlank(_ status: BlockDeviceStatus, _ attempt: String) -> Failure {
        let contents =
            status.signature ?? status.partitionTable.map { "a \($0) partition table" } ?? "bytes that are not zero"
        return conflict(
            "device-not-blank",
            "\(attempt), but holds \(contents)",
            hint: "nothing is erased here: if it holds nothing of value, erase it by hand with wipefs and blkdiscard"
        )
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .format(let type, let label, _):
            guard let found = try await find(on: node) else {
                throw Failure(
                    .waiting,
                    code: "device-missing",
                    "make \(type) on \(device): there is no such device",
                    hint: "attach the device, or correct its path (lsblk)"
                )
            }
            // Once more, since a plan is older than its steps: only what may be formatted is.
            guard case .format = try plan(from: found).first else { return }
            try await node.writeOwn("\(found.device.size)\n", to: mark)
            try await node.makeFilesystem(type, label: label, on: device)
            try await node.remove(mark)
        case .settle:
            try await node.settleFilesystem(on: device)
            try await node.remove(mark)
        }
    }
}
