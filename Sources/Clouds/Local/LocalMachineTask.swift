// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import NodeTasks
import SystemPackage

/// A machine that exists and runs.
///
/// What exists is left as it is: a machine changes by being made anew.
struct LocalMachineTask: LocalTask {
    struct Found: Sendable, Equatable {
        var record: MachineRecord
        var isComplete: Bool
        var isRunning: Bool
    }

    enum Step: LocalStep {
        case create(address: String, role: String)
        case start

        var change: Change {
            switch self {
            case .create(let address, let role): Change("machine", to: .text("\(role) \(address)"))
            case .start: Change("state", from: .text("stopped"), to: .text("running"))
            }
        }

        var action: CloudChange.Action {
            switch self {
            case .create: .create
            case .start: .start
            }
        }
    }

    let desired: DesiredMachine
    let address: IPv4Address
    let store: String?
    let fileRepository: String?
    let after: [TaskID]

    let kind = "machine"
    var name: String { desired.name }

    func find(on host: LocalHostReader) async throws -> Found? {
        guard let record = try host.machine(name) else { return nil }
        return Found(
            record: record,
            isComplete: LocalFiles.isDirectory(host.layout.files(name)),
            isRunning: try host.isRunning(record)
        )
    }

    func plan(from found: Found?) throws -> [Step] {
        guard let found, found.isComplete else {
            return [.create(address: address.description, role: desired.role.rawValue), .start]
        }
        return found.isRunning ? [] : [.start]
    }

    func apply(_ step: Step, on host: LocalHost) async throws {
        switch step {
        case .create: try await create(on: host)
        case .start: try await host.start(name)
        }
    }

    private func create(on host: LocalHost) async throws {
        guard let base = host.base else {
            throw Failure(
                .permanent,
                code: "base-missing",
                "machine \(name) has no root file system to stand on",
                hint: "run update cluster, which prepares it"
            )
        }
        // The start of a half-made one may have mounted what is made anew now.
        try await LocalMounts.unmount(below: host.layout.rootFileSystem(name))
        let record = MachineRecord(
            name: name,
            instanceGroup: desired.instanceGroup,
            role: desired.role,
            zone: desired.zone,
            address: address.description,
            instanceID: "i-" + String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16),
            base: base.string,
            store: store,
            fileRepository: fileRepository
        )
        try LocalFiles.makeDirectory(host.layout.machine(name), mode: .ownerReadWriteExecute)
        try LocalFiles.write(LocalJSON.encode(record), to: host.layout.record(ofMachine: name))
        try await LocalRootFileSystem(
            names: host.names,
            record: record,
            userData: desired.userData.filled(instance: name, address: address.description),
            confidential: desired.confidential
        ).make(at: host.layout.files(name), by: host.layout.unfinishedFiles(name))
    }
}

/// A machine that must not be.
struct LocalMachineRemovalTask: LocalTask {
    enum Step: LocalStep {
        case remove

        var change: Change { Change("machine", from: .text("there")) }
        var action: CloudChange.Action { .delete }
    }

    let name: String
    let kind = "machine"
    var after: [TaskID] { [] }

    func find(on host: LocalHostReader) async throws -> Bool? {
        LocalFiles.exists(host.layout.machine(name)) ? true : nil
    }

    func plan(from found: Bool?) throws -> [Step] { found == nil ? [] : [.remove] }

    func apply(_ step: Step, on host: LocalHost) async throws { try await host.removeMachine(name) }
}
