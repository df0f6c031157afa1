// SPDX-License-Identifier: Apache-2.0
import Glibc
public import NodeOS

/// One member's etcd as a child of this program, on machines without systemd; it ends with this program.
public actor EtcdChild {
    /// A process, and what it was started with.
    private struct Running {
        var unit: EtcdUnit
        var authorities: [String]
        var process: ChildProcess
        var since: Duration
    }

    /// What lived shorter has not just come to its end.
    private static let quick: Duration = .seconds(10)
    /// As long as systemd is told to wait, ``EtcdUnit``.
    private static let patience: Duration = .seconds(30)

    private let node: any NodeWriter
    private let programs: EtcdPrograms
    private let now: @Sendable () -> Duration
    private let ended: @Sendable () -> Void
    private var running: Running?

    /// Makes one that runs nothing.
    ///
    /// - Parameters:
    ///   - node: This machine.
    ///   - programs: Remembers which releases programs are.
    ///   - now: Since any fixed instant, never going back.
    ///   - ended: Called at once when etcd ends.
    public init(
        node: any NodeWriter,
        programs: EtcdPrograms,
        now: @escaping @Sendable () -> Duration,
        ended: @escaping @Sendable () -> Void
    ) {
        self.node = node
        self.programs = programs
        self.now = now
        self.ended = ended
    }

    /// This child as the supervisor of a member that is declared so now.
    public nonisolated func supervisor(of unit: EtcdUnit) -> any EtcdSupervisor { Declared(child: self, unit: unit) }

    /// Ends etcd, and returns once it has ended.
    public func stop() async {
        await running?.process.end(within: Self.patience)
        running = nil
    }

    fileprivate func process(_ unit: EtcdUnit) async throws -> LocalSight.Process {
        guard let running, running.process.isRunning else { return .stopped }
        let authorities = try await authorities(of: unit)
        if running.unit == unit, running.authorities == authorities { return .running(isCurrent: true) }
        // Without a program of the declared release no restart would make it any more as declared.
        let canStart = (try? await checkStart(unit)) != nil
        return .running(isCurrent: !canStart)
    }

    /// There is no copy of the program as there is for a unit: what is installed is what is started.
    fileprivate func checkStart(_ unit: EtcdUnit) async throws {
        guard try await node.status(of: unit.binary) != nil else { throw unit.missing(unit.binary) }
        try await unit.requireRelease(of: unit.binary, digest: try await node.sha256(of: unit.binary), programs)
    }

    fileprivate func ensureRunning(_ unit: EtcdUnit, _ start: EtcdStart) async throws {
        try start.requireRelease(unit.version)
        if try await process(unit) == .running(isCurrent: true) { return }
        try await checkStart(unit)
        try await tellQuickEnd()
        await stop()
        try await node.makeDirectory(unit.dataDirectory, attributes: FileAttributes(mode: 0o700))
        running = Running(
            unit: unit,
            authorities: try await authorities(of: unit),
            process: try await ChildProcess.start(
                unit.binary,
                try unit.arguments(),
                environment: Dictionary(uniqueKeysWithValues: EtcdUnit.environment(start)),
                ended: ended
            ),
            since: now()
        )
    }

    /// One that ended soon after its start is told of before it is started again, so that whoever asks slows down.
    private func tellQuickEnd() async throws {
        guard let last = running, !last.process.isRunning else { return }
        let code = await last.process.end()
        running = nil
        let age = now() - last.since
        guard age < Self.quick else { return }
        throw Failure(
            .transient,
            code: "etcd-not-running",
            "etcd ended with \(code) within \(age.components.seconds + 1) s of its start",
            hint: "its own words are before this in the log"
        )
    }

    /// Whom etcd trusts it reads once; certificates it reads anew at each handshake.
    private func authorities(of unit: EtcdUnit) async throws -> [String] {
        var digests: [String] = []
        for path in unit.certificates?.authorities ?? [] { digests.append(try await node.sha256(of: path)) }
        return digests
    }

    private struct Declared: EtcdSupervisor {
        let child: EtcdChild
        let unit: EtcdUnit

        func process() async throws -> LocalSight.Process { try await child.process(unit) }
        func ensureRunning(_ start: EtcdStart) async throws { try await child.ensureRunning(unit, start) }
        func stop() async throws { await child.stop() }
        func checkStart() async throws { try await child.checkStart(unit) }
        func checkInstalled() async throws { try await child.checkStart(unit) }
    }
}
