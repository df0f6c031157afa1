// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import KopsModel
import SystemPackage

/// Where the declaration comes from.
struct SourceOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The machine's boot configuration.")
    var configFile = BootConfig.path

    @Option(name: .customLong("tasks"), help: "Converge this JSON list of tasks; no cluster is needed.")
    var tasksFile: String?

    @Option(name: .customLong("root"), help: "With --tasks: converge the files below this directory.")
    var root = "/"

    @Option(name: .customLong("list"), help: "With --tasks: what the list is remembered by (default: the file's path).")
    var listName: String?

    @Flag(help: "Remove what earlier runs of this list created and the list no longer has.")
    var prune = false

    var configPath: FilePath { FilePath(configFile) }
    var rootPath: FilePath { FilePath(root) }

    func validate() throws {
        if root != "/", tasksFile == nil { throw ValidationError("--root needs --tasks") }
        if listName != nil, tasksFile == nil { throw ValidationError("--list needs --tasks") }
        if let listName, listName.isEmpty || listName.utf8.contains(where: { $0 < 0x20 }) {
            throw ValidationError("--list needs a name of one line")
        }
        guard rootPath.isAbsolute else { throw ValidationError("--root needs an absolute path, not \"\(root)\"") }
    }

    /// The run over a list of tasks; `nil` when the cluster's state is to be converged.
    func tasksRun() throws -> TasksRun? {
        guard let tasksFile else { return nil }
        return TasksRun(file: tasksFile, root: rootPath, list: try listName ?? Self.fullPath(tasksFile))
    }

    /// The path under which the same file is found from any directory.
    private static func fullPath(_ file: String) throws -> String {
        let path = FilePath(file)
        guard path.isRelative else { return path.lexicallyNormalized().string }
        guard let here = getcwd(nil, 0) else { throw Errno(rawValue: errno) }
        defer { free(here) }
        return FilePath(String(cString: here)).pushing(path).lexicallyNormalized().string
    }
}
