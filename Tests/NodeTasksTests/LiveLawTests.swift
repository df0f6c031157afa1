// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage
import Testing

/// The same laws on real files, below temporary directories.
///
/// Owners are real, so this needs root.
@Suite(.enabled(if: isRoot, "changing owners needs root"))
struct LiveLawTests {
    static let kinds = ["file", "directory", "symlink", "hostsBlock", "user", "group", "certificate"]
    static let cases = KindCase.all.filter { kind in kinds.contains { kind.name.hasPrefix("\($0),") } }

    @Test("the five laws on real files", arguments: cases)
    func laws(_ kind: KindCase) async throws {
        try await TemporaryRoots.using { roots in
            try await check(TaskContract(kind.name, tasks: kind.tasks) { try await roots.make(kind.machine) })
        }
    }

    @Test func archive() async throws {
        let tar = ustar([("cni/bin/a", "one"), ("cni/bin/b", "two")])
        var machine = FakeMachine()
        machine.putDirectory("/c")
        machine.putDirectory("/etc")
        machine.files["/c/t"] = FakeMachine.Entry(.regular, bytes: tar, mode: 0o644)
        machine.put("old", at: "/opt/.cni.0123456789abcdef-0/x")
        machine.files["/opt/cni"] = FakeMachine.Entry(.symlink, target: ".cni.0123456789abcdef-0", mode: 0o777)
        let start = machine
        let task = ArchiveTask("/c/t", sha256: SHA256Hex.of(tar), path: "/opt/cni", stripComponents: 1)
        try await TemporaryRoots.using { roots in
            try await check(TaskContract("archive", tasks: [task]) { try await roots.make(start) })
            let node = try await roots.make(start)
            _ = try await NodeTaskGraph([task]).converge(on: node, reader: node)
            #expect(try await node.read("/opt/cni/bin/a") == [UInt8]("one".utf8))
        }
    }

    private func check(_ contract: TaskContract<KillableNode>) async throws {
        try await contract.planIsNotEmpty()
        try await contract.convergedPlanIsEmpty()
        try await contract.planChangesNothing()
        try await contract.survivesCrashes()
        try await contract.equalPlans()
    }

    /// A tar archive of regular files (POSIX.1-1988, ustar).
    private func ustar(_ files: [(String, String)]) -> [UInt8] {
        var archive: [UInt8] = []
        for (name, contents) in files {
            var header = [UInt8](repeating: 0, count: 512)
            func put(_ text: String, at place: Int) {
                header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
            }
            let size = String(contents.utf8.count, radix: 8)
            put(name, at: 0)
            put("0000644", at: 100)
            put("0000000", at: 108)
            put("0000000", at: 116)
            put(String(repeating: "0", count: 11 - size.count) + size, at: 124)
            put("00000000000", at: 136)
            put("        ", at: 148)
            put("0", at: 156)
            put("ustar\u{0}00", at: 257)
            let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
            put(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", at: 148)
            archive += header + [UInt8](contents.utf8)
            archive += [UInt8](repeating: 0, count: (512 - contents.utf8.count % 512) % 512)
        }
        return archive + [UInt8](repeating: 0, count: 1024)
    }
}

let isRoot = (try? FileManager.default.attributesOfItem(atPath: "/proc/self")[.ownerAccountID]) as? UInt == 0

/// Directories that go when the test ends.
struct TemporaryRoots {
    private let directory: URL

    static func using(_ body: (TemporaryRoots) async throws -> Void) async throws {
        let roots = TemporaryRoots(
            directory: FileManager.default.temporaryDirectory.appending(path: "node-tasks-\(UUID().uuidString)")
        )
        defer { try? FileManager.default.removeItem(at: roots.directory) }
        try await body(roots)
    }

    /// An empty directory.
    func makeDirectory() throws -> FilePath {
        let root = directory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        return FilePath(root.path)
    }

    /// A tree with the files and accounts of a machine in memory.
    func make(_ machine: FakeMachine) async throws -> KillableNode {
        let node = LiveNode(root: try makeDirectory())
        for (path, entry) in machine.files.sorted(by: { $0.key.string < $1.key.string }) where path != "/" {
            let attributes = FileAttributes(mode: entry.mode, uid: entry.uid, gid: entry.gid)
            switch entry.kind {
            case .directory: try await node.makeDirectory(path, attributes: attributes)
            case .symlink: try await node.link(path, to: entry.target ?? "")
            case .regular, .block, .other: try await node.write(entry.bytes, to: path, attributes: attributes)
            }
        }
        let groups = machine.groups.values.sorted { $0.name < $1.name }
        let users = machine.users.values.sorted { $0.name < $1.name }
        let passwd = users.map {
            "\($0.name):x:\($0.uid ?? 0):\($0.gid ?? 0)::\($0.home ?? "/"):\($0.shell ?? "/bin/sh")"
        }
        let group = groups.map { group in
            let members = group.members + users.filter { $0.groups.contains(group.name) }.map(\.name)
            return "\(group.name):x:\(group.gid):\(members.joined(separator: ","))"
        }
        for (path, lines) in [("/etc/passwd", passwd), ("/etc/group", group)] {
            let bytes = [UInt8](lines.map { "\($0)\n" }.joined().utf8)
            try await node.write(bytes, to: FilePath(path), attributes: FileAttributes(mode: 0o644))
        }
        return KillableNode(node)
    }
}
