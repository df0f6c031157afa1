// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// Which releases of etcd programs are, by their own account.
///
/// A program is asked once for each content it has: what is installed may be replaced at any time, and is looked at often.
public actor EtcdPrograms {
    private let runner: any CommandRunner
    /// By the digest of the program.
    private var releases: [String: String] = [:]

    /// Makes one that has asked no program yet.
    public init(runner: any CommandRunner = SubprocessRunner()) { self.runner = runner }

    /// The release of a program with this digest, such as `3.4.23`.
    ///
    /// - Throws: ``Failure`` `etcd-version-unknown` (transient) where the program does not say that it is etcd.
    public func release(of program: FilePath, digest: String) async throws -> String {
        if let known = releases[digest] { return known }
        let release = try await ask(program)
        releases[digest] = release
        return release
    }

    private func ask(_ program: FilePath) async throws -> String {
        let said: String
        do {
            said = try await runner.run(Command(program.string, ["--version"], timeout: .seconds(30)))
        } catch let failure as Failure {
            throw unknown(program, cause: failure)
        }
        guard let release = Self.release(in: said) else { throw unknown(program, cause: nil) }
        return release
    }

    /// The first line is `etcd Version: 3.4.23`.
    private static func release(in text: String) -> String? {
        let words = text.split(whereSeparator: \.isNewline).first?.split(separator: " ") ?? []
        return words.count == 3 && words[0] == "etcd" && words[1] == "Version:" ? String(words[2]) : nil
    }

    private func unknown(_ program: FilePath, cause: Failure?) -> Failure {
        Failure(
            .transient,
            code: "etcd-version-unknown",
            "\(program) does not say which release of etcd it is",
            hint: "see what `\(program) --version` prints, and install etcd there",
            cause: cause
        )
    }
}

extension EtcdUnit {
    /// The failure of a program that is not there.
    func missing(_ program: FilePath) -> Failure {
        Failure(
            .waiting,
            code: "etcd-binary-missing",
            "\(program) is not there",
            hint: "install etcd \(version) there; where nodeup does that, see `nodeup status`"
        )
    }

    /// Refuses a program of another release than the unit is declared with.
    ///
    /// - Throws: ``Failure`` `etcd-version-differs` (waiting), `etcd-version-unknown` (transient).
    func requireRelease(of program: FilePath, digest: String, _ programs: EtcdPrograms) async throws {
        let found = try await programs.release(of: program, digest: digest)
        guard found != version else { return }
        throw Failure(
            .waiting,
            code: "etcd-version-differs",
            "\(program) is etcd \(found), and etcd \(etcdCluster) is declared as \(version)",
            hint:
                "install etcd \(version) there, which nodeup does by itself, or declare \(found); until then a member that"
                + " runs goes on as it is"
        )
    }
}
