// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The images of a container runtime, by its own client: `docker`, or `ctr` for containerd.
///
/// Identifiers are docker's `sha256:…` of an image's configuration, and references for containerd, in whose namespace
/// `k8s.io` the kubelet looks.
struct ImageStore: Sendable {
    /// The runtimes there are.
    enum Runtime: String, Sendable, CaseIterable {
        case docker
        case containerd
    }

    let runtime: Runtime
    let runner: any CommandRunner

    init(_ name: String, runner: any CommandRunner) throws(Failure) {
        guard let runtime = Runtime(rawValue: name) else {
            throw Failure(
                .permanent,
                code: "runtime-unknown",
                "there is no container runtime \(name)",
                hint: "choose docker or containerd"
            )
        }
        self.runtime = runtime
        self.runner = runner
    }

    /// The identifiers of all images.
    func identifiers() async throws -> Set<String> {
        let list = runtime == .docker ? ["image", "ls", "--no-trunc", "--quiet"] : ["images", "ls", "--quiet"]
        return Set(try await run(list).split { $0.isWhitespace }.map(String.init))
    }

    /// Imports a docker-archive and returns the identifiers it brought, sorted.
    func load(_ archive: FilePath) async throws -> [String] {
        switch runtime {
        case .docker:
            let output = try await run(["load", "--input", archive.string], minutes: 15)
            let names = Self.loadedNames(in: output)
            guard !names.isEmpty else { throw nothing(in: archive) }
            let inspected = try await run(["image", "inspect", "--format", "{{.Id}}", "--"] + names)
            return Set(inspected.split { $0.isWhitespace }.map(String.init)).sorted()
        case .containerd:
            let before = try await identifiers()
            let output = try await run(["images", "import", archive.string], minutes: 15)
            let after = try await identifiers()
            // The wording differs between versions; that a reference is named in it does not.
            let words = Set(output.split { $0.isWhitespace || "()\",".contains($0) }.map(String.init))
            let found = after.subtracting(before).union(after.intersection(words)).sorted()
            guard !found.isEmpty else { throw nothing(in: archive) }
            return found
        }
    }

    /// Removes an image; one that is not there is no error.
    func remove(_ identifier: String) async throws {
        guard try await identifiers().contains(identifier) else { return }
        let words = runtime == .docker ? ["image", "rm", "--force", "--"] : ["images", "rm"]
        _ = try await run(words + [identifier])
    }

    /// What docker says it has loaded: `Loaded image: name:tag`, or `Loaded image ID: sha256:…` for one without a name.
    static func loadedNames(in output: String) -> [String] {
        output.split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }.compactMap { line in
            for prefix in ["Loaded image: ", "Loaded image ID: "] where line.hasPrefix(prefix) {
                return String(line.dropFirst(prefix.count))
            }
            return nil
        }
    }

    private func run(_ words: [String], minutes: Int = 2) async throws -> String {
        let command =
            runtime == .docker
            ? Command("docker", words, timeout: .seconds(60 * minutes))
            : Command("ctr", ["--namespace", "k8s.io"] + words, timeout: .seconds(60 * minutes))
        let result = try await runner.result(of: command)
        guard result.code != 0 else { return result.text }
        throw failure(of: command, result)
    }

    /// What the client says, in the words of docker 1.13 to 27 and of ctr 1.4 to 2.0.
    private func failure(of command: Command, _ result: CommandResult) -> Failure {
        let words = String(decoding: result.errors, as: UTF8.self).lowercased()
        let unit = "\(runtime.rawValue).service"
        func says(_ phrases: String...) -> Bool { phrases.contains { words.contains($0) } }
        if says("no space left on device") {
            let hint = "free space where \(runtime.rawValue) keeps its images (df -h /var/lib/\(runtime.rawValue))"
            return command.failure(result, code: "disk-full", .permanent, hint: hint)
        }
        if says("cannot connect to the docker daemon", "cannot access socket", "connection refused", "failed to dial") {
            let hint = "start \(unit), and see `journalctl -u \(unit)` for why it does not run"
            return command.failure(result, code: "runtime-down", .waiting, hint: hint)
        }
        if says("unexpected eof", "invalid tar header", "unrecognized image format", "invalid diffid", "repositories:")
        {
            let hint = "fetch the archive again, or write it again with `docker save`"
            return command.failure(result, code: "archive-invalid", .permanent, hint: hint)
        }
        return command.failure(result, code: "image-store-failed", .transient, hint: "see `journalctl -u \(unit)`")
    }

    private func nothing(in archive: FilePath) -> Failure {
        Failure(
            .permanent,
            code: "archive-without-image",
            "\(archive) brought no image to \(runtime.rawValue)",
            hint: "give an archive as `docker save` writes it"
        )
    }
}
