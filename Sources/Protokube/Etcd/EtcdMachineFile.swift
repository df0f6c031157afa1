// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel
import NodeOS
import SystemPackage

/// The file that tells a machine of its etcd member, read anew at each look and checked when it has changed.
actor EtcdMachineFile {
    private let path: FilePath
    private let node: any NodeReader
    /// What it said when it was used first.
    private var first: EtcdMachine?
    private var accepted: (bytes: [UInt8], machine: EtcdMachine)?

    init(_ path: FilePath, node: any NodeReader) {
        self.path = path
        self.node = node
    }

    /// What the machine is told now.
    ///
    /// - Throws: ``Failure`` `etcd-config-missing`, `etcd-config-invalid` (permanent).
    func machine() async throws -> EtcdMachine {
        let bytes = try await read()
        if let accepted, accepted.bytes == bytes { return accepted.machine }
        var machine: EtcdMachine
        do {
            machine = try EtcdMachine(parsing: bytes, name: path.string)
        } catch {
            throw refused(error.problems)
        }
        if machine.machine == nil { machine.machine = try await hostName() }
        try refuseChanges(of: machine)
        let problems = try await certificateProblems(machine) + programProblems(machine)
        guard problems.isEmpty else { throw refused(problems) }
        first = first ?? machine
        accepted = (bytes, machine)
        return machine
    }

    /// What is wrong with the file, as a failure.
    nonisolated func refused(_ problems: [SpecProblem]) -> Failure {
        let texts = problems.map(\.description).joined(separator: " | ")
        return Failure(
            .permanent,
            code: "etcd-config-invalid",
            "\(path): \(texts)",
            hint: "correct the file; it is read again at once, and until then nothing is changed"
        )
    }

    private func read() async throws -> [UInt8] {
        guard try await node.status(of: path) != nil else {
            throw Failure(
                .permanent,
                code: "etcd-config-missing",
                "\(path) is not there",
                hint: "write it, or name another one by --config"
            )
        }
        return try await node.read(path)
    }

    private func hostName() async throws -> String {
        let bytes = try await node.read("/proc/sys/kernel/hostname")
        return String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self).lowercased()
    }

    /// Who this machine is, and where its data is, it remembers from its start.
    private func refuseChanges(of machine: EtcdMachine) throws {
        guard let first else { return }
        var problems: [SpecProblem] = []
        func compare(_ field: String, _ old: String?, _ new: String?) {
            guard old != new else { return }
            let message = "was \(old ?? "absent") when this program started"
            problems.append(SpecProblem(SpecPath(field), message, remedy: "start it anew to change that"))
        }
        compare("cluster", first.cluster, machine.cluster)
        compare("name", first.name, machine.name)
        compare("member", first.member, machine.member)
        compare("machine", first.machine, machine.machine)
        compare("store", first.store, machine.store)
        compare(
            "volume",
            first.volume.directory ?? first.volume.label,
            machine.volume.directory ?? machine.volume.label
        )
        compare("members", first.own?.clientURL, machine.own?.clientURL)
        guard problems.isEmpty else { throw refused(problems) }
    }

    private func certificateProblems(_ machine: EtcdMachine) async -> [SpecProblem] {
        var problems: [SpecProblem] = []
        for (field, path) in machine.certificates?.files ?? [] {
            let place = SpecPath("certificates", field)
            do {
                let text = String(decoding: try await node.read(FilePath(path)), as: UTF8.self)
                guard text.split(separator: "\n").contains(where: { $0.hasPrefix("-----BEGIN ") }) else {
                    problems.append(SpecProblem(place, "\(path) is no PEM", remedy: "name a file in PEM"))
                    continue
                }
            } catch {
                let reason = (error as? Failure)?.chain ?? "\(error)"
                problems.append(SpecProblem(place, "\(path) cannot be read: \(reason)", remedy: "put it there"))
            }
        }
        return problems
    }

    /// Which release they are is asked before a start: a package may replace them at any time.
    private func programProblems(_ machine: EtcdMachine) async throws -> [SpecProblem] {
        let place = SpecPath("etcd", "directory")
        let directory = FilePath(machine.etcd.directory)
        for name in ["etcd", "etcdctl"] where try await node.status(of: directory.appending(name)) == nil {
            return [SpecProblem(place, "\(directory) has no \(name)", remedy: "name the directory that etcd is in")]
        }
        return []
    }
}
