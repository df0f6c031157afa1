// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import SystemPackage
import Testing

/// etcd as a child of this program, with a script in its place.
@Suite(.timeLimit(.minutes(1))) struct EtcdChildTests {
    static let start = EtcdStart(state: .new, token: "t", member: "a", peers: ["a": "http://127.0.0.1:2380"])

    static func program(_ release: String) -> [UInt8] {
        Array("#!/bin/sh\n[ \"$1\" = --version ] || exec sleep 600\necho 'etcd Version: \(release)'\n".utf8)
    }

    /// Runs a body with a directory of its own, in which `etcd` is installed by the function it is given.
    func bench(
        _ body: (EtcdChild, (String) -> EtcdUnit, (String) async throws -> Void) async throws -> Void
    ) async throws {
        let node = LiveNode()
        let directory = FilePath("/tmp/etcd-child-\(UInt64.random(in: .min ... .max))")
        try await node.makeDirectory(directory, attributes: FileAttributes(mode: 0o700))
        let child = EtcdChild(node: node, programs: EtcdPrograms(), now: { .zero }, ended: {})
        let unit = { (version: String) -> EtcdUnit in
            var unit = EtcdUnitTests.unit(version: version)
            unit.binary = directory.appending("etcd")
            unit.dataDirectory = directory.appending("data")
            unit.certificates = nil
            return unit
        }
        let install = { (release: String) async throws in
            try await node.write(
                Self.program(release),
                to: directory.appending("etcd"),
                attributes: FileAttributes(mode: 0o755)
            )
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body(child, unit, install)) } catch { result = .failure(error) }
        await child.stop()
        try await node.remove(directory)
        try result.get()
    }

    @Test func anotherReleaseThanIsDeclaredIsNotStarted() async throws {
        try await bench { child, unit, install in
            var failure = await #expect(throws: Failure.self) {
                try await child.supervisor(of: unit("3.4.23")).ensureRunning(Self.start)
            }
            #expect(failure?.code == "etcd-binary-missing" && failure?.kind == .waiting)
            try await install("3.5.21")
            failure = await #expect(throws: Failure.self) {
                try await child.supervisor(of: unit("3.4.23")).ensureRunning(Self.start)
            }
            #expect(failure?.code == "etcd-version-differs" && failure?.kind == .waiting)
            #expect(try await child.supervisor(of: unit("3.4.23")).process() == .stopped)
        }
    }

    @Test func aRestartIsOwedOnceTheDeclaredReleaseIsThere() async throws {
        try await bench { child, unit, install in
            try await install("3.4.23")
            let (old, new) = (child.supervisor(of: unit("3.4.23")), child.supervisor(of: unit("3.5.21")))
            try await old.ensureRunning(Self.start)
            #expect(try await old.process() == .running(isCurrent: true))
            #expect(try await new.process() == .running(isCurrent: true), "it could not be started as declared")
            await #expect(throws: Failure.self) { try await new.checkInstalled() }
            try await install("3.5.21")
            #expect(try await new.process() == .running(isCurrent: false))
            #expect(try await old.process() == .running(isCurrent: true), "what runs is what is declared")
            try await new.ensureRunning(Self.start)
            #expect(try await new.process() == .running(isCurrent: true))
        }
    }
}
