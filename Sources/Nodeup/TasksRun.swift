// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import NodeTasks
import SystemPackage

/// A run over a list of tasks, without any cluster.
struct TasksRun {
    let file: String
    let root: FilePath
    /// The name under which what it creates is remembered.
    let list: String

    /// Reads and orders the tasks; looks at nothing else but whether the root is there.
    func prepared() throws -> ListRun {
        var status = stat()
        guard stat(root.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(
                .permanent,
                code: "root-missing",
                "there is no directory \(root) to converge",
                hint: "make it, or correct --root"
            )
        }
        return try ListRun(list: list, tasks: try TasksFile.parse(try read(), name: file), on: LiveNode(root: root))
    }

    /// The file's bytes, and one more than the parser takes, so that it is the parser who refuses a huge file.
    private func read() throws -> [UInt8] {
        do {
            // A pipe that nobody writes to is empty; waiting for a writer could take for ever.
            let descriptor = try FileDescriptor.open(FilePath(file), .readOnly, options: [.closeOnExec, .nonBlocking])
            _ = fcntl(descriptor.rawValue, F_SETFL, O_RDONLY)
            return try descriptor.closeAfter {
                var bytes: [UInt8] = []
                var piece = [UInt8](repeating: 0, count: 1 << 16)
                while bytes.count <= TasksFile.sizeLimit {
                    let count = try piece.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                    guard count > 0 else { break }
                    bytes += piece[..<count]
                }
                return bytes
            }
        } catch {
            throw Failure(
                .permanent,
                code: "tasks-unreadable",
                "\(file) cannot be read",
                hint: "give the path of a JSON file of tasks",
                cause: error
            )
        }
    }
}
