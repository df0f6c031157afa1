// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The kernel's modules; in their names `-` and `_` are the same.
struct KernelModules: Sendable {
    let runner: any CommandRunner
    private let files = FileTree(root: "/")

    init(runner: any CommandRunner) { self.runner = runner }

    /// Whether a module is loaded or built in.
    func has(_ name: String) throws(Failure) -> Bool {
        let wanted = try Self.normal(name)
        if try files.status(of: FilePath("/sys/module").appending(wanted)) != nil { return true }
        if Self.loaded(in: try text("/proc/modules")).contains(wanted) { return true }
        // Modules without parameters that are built in show only here (modules.builtin of depmod(8)).
        var system = utsname()
        guard uname(&system) == 0 else { throw .system(errno, "cannot find", "the kernel's release") }
        let release = withUnsafeBytes(of: &system.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return Self.builtIn(in: try text(FilePath("/lib/modules/\(release)/modules.builtin"))).contains(wanted)
    }

    /// Loads a module with modprobe(8), which also loads what it needs.
    func load(_ name: String) async throws {
        _ = try Self.normal(name)
        try await runner.run(
            Command("modprobe", ["--", name]),
            failing: "module-not-loaded",
            .permanent,
            hint: "the running kernel has no such module; install the package of modules for it, or reboot into it"
        )
    }

    /// The names in `/proc/modules`.
    static func loaded(in text: String) -> Set<String> {
        Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
    }

    /// The names in `modules.builtin`, whose lines are paths such as `kernel/fs/fuse/fuse.ko`.
    static func builtIn(in text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").compactMap { line in
                guard let file = line.split(separator: "/").last else { return nil }
                return file.split(separator: ".").first.map { underscored(String($0)) }
            }
        )
    }

    private static func normal(_ name: String) throws(Failure) -> String {
        let mayStand = { (byte: UInt8) in
            byte.isLowercaseLetterOrDigit || (65...90).contains(byte) || byte == 45 || byte == 95
        }
        guard name.utf8.allSatisfy(mayStand), let first = name.utf8.first, first != 45 else {
            throw Failure(
                .permanent,
                code: "module-name-invalid",
                "\(name) is no name of a kernel module",
                hint: "names consist of letters, digits, - and _"
            )
        }
        return underscored(name)
    }

    private static func underscored(_ name: String) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }

    private func text(_ path: FilePath) throws(Failure) -> String {
        guard try files.status(of: path) != nil else { return "" }
        return String(decoding: try files.read(path), as: UTF8.self)
    }
}
