// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import KopsModel
import NodeOS
import StateStore
import SystemPackage

/// Where an etcd member runs on a machine outside of any Kubernetes cluster, as the machine's file says at each look.
struct MachineSite: EtcdSite {
    let file: EtcdMachineFile
    let etcdCluster: String
    let clusterName: String
    let node: any NodeWriter
    let filesystems: any FilesystemTools
    let http: any HTTPClient
    let now: @Sendable () -> Duration
    let open: @Sendable () throws -> any StateStore
    /// Runs etcd where systemd does not.
    let child: EtcdChild?
    let sideline: Sideline
    /// Which releases programs were found to be.
    let programs: EtcdPrograms
    /// What was last compared with the other members.
    let compared = Handover<EtcdMachine>()

    func openStore() throws -> any StateStore { try open() }
    func doAside(_ work: @escaping @Sendable () async -> Void) { sideline.add(work) }

    func spec() async throws -> EtcdSpec {
        let machine = try await file.machine()
        try await check(machine)
        return EtcdSpec(
            clusterName: clusterName,
            etcdCluster: etcdCluster,
            members: machine.declared,
            peerURLs: Dictionary(uniqueKeysWithValues: machine.members.map { ($0.name, $0.peerURL) }),
            release: machine.etcd.version
        )
    }

    func place() async throws -> EtcdAgent.Place {
        let machine = try await file.machine()
        let url = machine.own?.clientURL ?? ""
        return EtcdAgent.Place(
            machine: machine.machine ?? "",
            member: machine.member,
            address: EtcdURL(url)?.host ?? "",
            clientURL: url
        )
    }

    func volume() async throws -> MemberVolume {
        let machine = try await file.machine()
        guard let label = machine.volume.label else {
            return MemberVolume(
                node: node,
                directory: FilePath(machine.volume.directory ?? ""),
                source: .directory
            )
        }
        return disk(
            labelled: label,
            of: machine.machine ?? "",
            finder: AnnouncementFile(node: node),
            tools: filesystems
        )
    }

    func supervisor(on volume: MemberVolume, of place: EtcdAgent.Place) async throws -> any EtcdSupervisor {
        let machine = try await file.machine()
        let runtime = EtcdService.runtimeDirectory(of: etcdCluster)
        let source = machine.certificates.map(EtcdCertificates.init)
        var unit = EtcdUnit(
            etcdCluster: etcdCluster,
            version: machine.etcd.version,
            member: machine.member,
            addresses: EtcdUnit.Addresses(
                peerListen: machine.own.flatMap { EtcdURL($0.peerURL)?.listening } ?? "",
                peerURL: machine.own?.peerURL ?? "",
                clientListen: [EtcdURL(place.clientURL)?.listening ?? ""],
                clientURL: place.clientURL
            ),
            binary: FilePath(machine.etcd.directory).appending("etcd"),
            volume: volume.directory,
            dataDirectory: volume.dataDirectory,
            certificates: source,
            environmentFile: runtime.appending("environment")
        )
        if let child { return child.supervisor(of: unit) }
        let program = unit.binary
        unit.binary = EtcdUnit.program(of: etcdCluster)
        if source != nil { unit.certificates = EtcdCertificates(in: runtime.appending("pki")) }
        return EtcdService(node: node, unit: unit, program: program, source: source, programs: programs)
    }

    func gateway() async throws -> EtcdGateway {
        guard let files = try await file.machine().certificates else { return EtcdGateway(http: http, identity: nil) }
        var texts: [String] = []
        for path in [files.authority, files.clientCertificate, files.clientKey] {
            texts.append(String(decoding: try await node.read(FilePath(path)), as: UTF8.self))
        }
        let identity = TLSIdentity(authorities: texts[0], certificate: texts[1], privateKey: texts[2])
        return EtcdGateway(http: http, identity: identity)
    }

    func tools() async throws -> EtcdTools {
        let etcd = try await file.machine().etcd
        let directory = FilePath(etcd.directory)
        let etcdutl = directory.appending("etcdutl")
        return EtcdTools(
            release: etcd.version,
            etcd: directory.appending("etcd"),
            etcdctl: directory.appending("etcdctl"),
            etcdutl: try await node.status(of: etcdutl) == nil ? nil : etcdutl
        )
    }

    func client() async throws -> EtcdClientFiles? {
        try await file.machine().certificates.map {
            EtcdClientFiles(
                authority: FilePath($0.authority),
                certificate: FilePath($0.clientCertificate),
                key: FilePath($0.clientKey)
            )
        }
    }

    func backupPolicy() async throws -> BackupPolicy {
        let backups = try await file.machine().backups
        var policy = BackupPolicy.standard
        policy.interval = backups.interval.map(Double.init) ?? policy.interval
        policy.proofInterval = backups.proofInterval.map(Double.init) ?? policy.proofInterval
        policy.retention = Retention(
            hourly: backups.hourly ?? policy.retention.hourly,
            daily: backups.daily ?? policy.retention.daily,
            monthly: backups.monthly ?? policy.retention.monthly
        )
        return policy
    }
}

extension EtcdCertificates {
    /// What a machine's file names.
    fileprivate init(_ files: EtcdMachine.Certificates) {
        self.init(
            authority: FilePath(files.authority),
            peerAuthority: FilePath(files.peerAuthority ?? files.authority),
            serverCertificate: FilePath(files.serverCertificate),
            serverKey: FilePath(files.serverKey),
            peerCertificate: FilePath(files.peerCertificate),
            peerKey: FilePath(files.peerKey)
        )
    }
}
