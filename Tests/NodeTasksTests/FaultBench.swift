// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage

/// A real directory tree, to be broken, with a machine below it.
struct FaultBench: Sendable {
    /// Why a row is not what it says.
    struct Spoiled: Error, CustomStringConvertible {
        let description: String
    }

    let directory: FilePath
    /// The root of the machine below the directory.
    var root: FilePath { directory.appending("root") }
    var node: LiveNode { LiveNode(root: root) }

    /// Makes a bench that goes away with the body, mounts first.
    static func using(_ body: (FaultBench) async throws -> Void) async throws {
        var template = Array("/tmp/node-faults-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        let bench = FaultBench(directory: path)
        chmod(path.string, 0o755)
        mkdir(bench.root.string, 0o755)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(bench)) } catch { outcome = .failure(error) }
        for mount in try await LiveNode().mounts().reversed() where mount.path.starts(with: path) {
            umount2(mount.path.string, Int32(MNT_DETACH))
        }
        _ = try? await SubprocessRunner().run(Command("chattr", ["-R", "-i", path.string]))
        try await LiveNode().remove(path)
        try outcome.get()
    }

    /// Where a path of the machine is on this one.
    func host(_ path: FilePath) -> FilePath {
        // Pushing an absolute path would replace the root by it.
        var below = path
        below.root = nil
        return root.pushing(below)
    }

    /// Puts a file below the root.
    func put(_ text: String, at path: FilePath) async throws {
        try await node.makeDirectory(path.removingLastComponent(), attributes: FileAttributes())
        try await node.write([UInt8](text.utf8), to: path, attributes: FileAttributes())
    }

    /// Mounts something on a directory of the machine, made for it.
    func mount(_ options: [String], on path: FilePath, source: String = "tmpfs") async throws {
        try await LiveNode().makeDirectory(host(path), attributes: FileAttributes())
        let filesystem = options.contains("bind") ? "none" : "tmpfs"
        try await LiveNode().mount(
            MountEntry(source: source, path: host(path), filesystem: filesystem, options: options)
        )
    }

    /// Lets nobody change a file, not even root (chattr(1)).
    func freeze(_ path: FilePath) async throws {
        try await SubprocessRunner().run(Command("chattr", ["+i", host(path).string]))
    }

    /// Converges tasks, and throws the first that fails; the tree must be afterwards what it was before.
    func run(
        _ tasks: any NodeTask...,
        on node: LiveNode? = nil,
        under fault: FaultyThread.Fault? = nil
    ) async throws {
        let graph = try NodeTaskGraph(tasks)
        let node = node ?? self.node
        try await untouched {
            let converge: @Sendable () async -> ConvergeReport = {
                let options = ConvergeOptions(clock: SimulatedClock(), random: Seeded(1))
                return await graph.converge(on: node, reader: node, options: options)
            }
            let report: ConvergeReport
            if let fault { report = try await FaultyThread.run(fault, converge) } else { report = await converge() }
            if let failure = report.rootFailures.first?.failure { throw failure }
        }
    }

    /// Attempts something that is to fail, and to leave no trace in the tree.
    func untouched(_ attempt: () async throws -> Void) async throws {
        let before = try DirectoryTree.lines(below: root)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await attempt()) } catch { outcome = .failure(error) }
        let after = try DirectoryTree.lines(below: root)
        guard before == after else {
            let changed = Set(before).symmetricDifference(after).sorted().joined(separator: "\n")
            throw Spoiled(description: "the tree changed:\n\(changed)")
        }
        try outcome.get()
    }
}
