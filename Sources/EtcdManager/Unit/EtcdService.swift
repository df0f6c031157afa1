// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// Keeps one etcd unit true to its declaration: account, program, certificates, unit file, running since the last change.
///
/// A restart that is owed is a state, not an event: the digest of what etcd was last started with is beside its
/// certificates, so a crash before the restart is made up for by the next pass.
public struct EtcdService: Sendable {
    /// What is needed to run one member.
    public let unit: EtcdUnit
    /// The program as it is installed, of which the unit runs a copy.
    public let program: FilePath
    /// The certificates as root keeps them, of which etcd gets copies it can read; `nil`: it speaks plain HTTP.
    public let source: EtcdCertificates?
    let node: any NodeWriter
    let programs: EtcdPrograms

    /// Makes a service.
    ///
    /// `programs` remembers from service to service which releases programs are.
    public init(
        node: any NodeWriter,
        unit: EtcdUnit,
        program: FilePath,
        source: EtcdCertificates?,
        programs: EtcdPrograms
    ) {
        self.node = node
        self.unit = unit
        self.program = program
        self.source = source
        self.programs = programs
    }

    /// The directory with the copies, the environment file and the stamp; below `/run`, so a boot clears it.
    public static func runtimeDirectory(of etcdCluster: String) -> FilePath {
        FilePath("/run/kopslite").appending("etcd-\(etcdCluster)")
    }

    private var runtimeDirectory: FilePath { Self.runtimeDirectory(of: unit.etcdCluster) }
    private var stampPath: FilePath { runtimeDirectory.appending("started-with") }

    /// What runs now; without a program of the declared release it is current, for no restart would make it any more so.
    ///
    /// - Throws: ``Failure`` `etcd-certificates-missing` (waiting) while nodeup has not put them there.
    public func process() async throws -> LocalSight.Process {
        let status = try await node.unit(named: unit.name)
        guard status.load == "loaded", ["active", "activating", "reloading"].contains(status.active) else {
            return .stopped
        }
        guard let program = try await startable() else { return .running(isCurrent: true) }
        return .running(isCurrent: try await started() == (try await stamp(program)))
    }

    /// Has etcd run as declared; does nothing when it does.
    ///
    /// - Throws: ``Failure`` as ``process()`` and ``checkStart()``, `etcd-not-running` (transient) when the unit does not become
    ///   active.
    public func ensureRunning(_ start: EtcdStart) async throws {
        try start.requireRelease(unit.version)
        let program = try await requireStartable()
        let account = try await ensureAccount()
        try await ensureDataDirectory(account)
        try await node.makeDirectory(
            runtimeDirectory,
            attributes: FileAttributes(mode: 0o750, uid: 0, gid: account.gid)
        )
        try await copyCertificates(to: account)
        try await copy(program)
        try await replace(
            unit.environmentFile,
            with: Array(unit.environment(start).utf8),
            attributes: FileAttributes(mode: 0o644, uid: 0, gid: 0)
        )
        try await replace(
            unit.path,
            with: Array(try unit.text().utf8),
            attributes: FileAttributes(mode: 0o644, uid: 0, gid: 0)
        )
        if try await node.unit(named: unit.name).needsReload { try await node.reloadUnits() }
        try await self.start(stamp: try await stamp(program))
    }

    /// Ends etcd and waits for its end.
    public func stop() async throws {
        guard try await node.unit(named: unit.name).active != "inactive" else { return }
        try await node.changeUnit(unit.name, .stop)
    }

    /// Renews the copies of certificates, which a running etcd reads anew at each handshake.
    public func renewCertificates() async throws {
        guard let user = try await node.user(named: EtcdUnit.user), let uid = user.uid,
            let gid = try await node.group(named: EtcdUnit.user)?.gid ?? user.gid
        else { return }
        try await copyCertificates(to: (uid, gid))
    }

    private func start(stamp: String) async throws {
        let status = try await node.unit(named: unit.name)
        let started = try await started()
        if status.load == "loaded", ["active", "activating", "reloading"].contains(status.active), started == stamp {
            return
        }
        // A process that runs from before the stamp was written is restarted once too often, never once too rarely.
        let change: UnitChange = status.active == "active" || status.active == "activating" ? .restart : .start
        if status.load != "loaded" { try await node.reloadUnits() }
        do {
            try await node.changeUnit(unit.name, change)
        } catch {
            throw Failure(
                .transient,
                code: "etcd-not-running",
                "\(change.rawValue) of \(unit.name) failed",
                hint: "journalctl -u \(unit.name)",
                cause: error
            )
        }
        try await replace(
            stampPath,
            with: Array((stamp + "\n").utf8),
            attributes: FileAttributes(mode: 0o644, uid: 0, gid: 0)
        )
    }

    private func started() async throws -> String? {
        guard try await node.status(of: stampPath) != nil else { return nil }
        return String(decoding: try await node.read(stampPath).prefix { $0 != 0x0A }, as: UTF8.self)
    }

    /// etcd reads certificates anew at each handshake, but the program, its flags and whom it trusts only once.
    private func stamp(_ program: Program) async throws -> String {
        let flags = hexSHA256(Array(try unit.text().utf8))
        var files = [program.digest]
        for authority in source?.authorities ?? [] {
            guard try await node.status(of: authority) != nil else { throw missing(authority) }
            files.append(try await node.sha256(of: authority))
        }
        return ([flags] + files).joined(separator: " ")
    }

    private func missing(_ path: FilePath) -> Failure {
        Failure(
            .waiting,
            code: "etcd-certificates-missing",
            "\(path) is not there",
            hint: "nodeup issues it: `nodeup status`"
        )
    }

    private func copyCertificates(to account: (uid: UInt32, gid: UInt32)) async throws {
        for (from, to) in zip(source?.files ?? [], unit.certificates?.files ?? []) {
            guard try await node.status(of: from.path) != nil else { throw missing(from.path) }
            let attributes = FileAttributes(mode: to.isSecret ? 0o400 : 0o444, uid: account.uid, gid: account.gid)
            try await node.makeDirectory(
                to.path.removingLastComponent(),
                attributes: FileAttributes(mode: 0o750, uid: 0, gid: account.gid)
            )
            try await replace(to.path, with: try await node.read(from.path), attributes: attributes)
        }
    }

    private func ensureAccount() async throws -> (uid: UInt32, gid: UInt32) {
        if try await node.group(named: EtcdUnit.user) == nil { try await node.setGroup(EtcdUnit.user, gid: nil) }
        let group = try await node.group(named: EtcdUnit.user)
        if try await node.user(named: EtcdUnit.user) == nil {
            try await node.setUser(
                UserEntry(
                    name: EtcdUnit.user,
                    gid: group?.gid,
                    home: unit.volume.string,
                    shell: "/usr/sbin/nologin"
                ),
                groups: []
            )
        }
        guard let user = try await node.user(named: EtcdUnit.user), let uid = user.uid,
            let gid = group?.gid ?? user.gid
        else {
            throw Failure(
                .transient,
                code: "etcd-user-missing",
                "user \(EtcdUnit.user) is not there after it was created",
                hint: "see `getent passwd \(EtcdUnit.user)`, and where nsswitch.conf(5) looks for users"
            )
        }
        return (uid, gid)
    }

    /// A volume that comes from another machine carries that machine's number for etcd's user.
    private func ensureDataDirectory(_ account: (uid: UInt32, gid: UInt32)) async throws {
        let attributes = FileAttributes(mode: 0o700, uid: account.uid, gid: account.gid)
        try await node.makeDirectory(unit.dataDirectory, attributes: attributes)
        try await own(unit.dataDirectory, account)
    }

    private func own(_ path: FilePath, _ account: (uid: UInt32, gid: UInt32)) async throws {
        guard let status = try await node.status(of: path) else { return }
        if status.uid != account.uid || status.gid != account.gid {
            try await node.setAttributes(FileAttributes(uid: account.uid, gid: account.gid), of: path)
        }
        guard status.kind == .directory else { return }
        for name in try await node.list(path) { try await own(path.appending(name), account) }
    }

    private func replace(_ path: FilePath, with bytes: [UInt8], attributes: FileAttributes) async throws {
        if let status = try await node.status(of: path), status.kind == .regular, status.mode == attributes.mode,
            status.uid == attributes.uid ?? 0, status.gid == attributes.gid ?? 0, try await node.read(path) == bytes
        {
            return
        }
        try await node.write(bytes, to: path, attributes: attributes)
    }
}
