// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import StateStore

/// What one machine will ask of the store, attempted.
struct RoleTrial {
    let store: any StateStore
    let machine: ResolvedMachine
    let layout: ClusterLayout
    let trust: [TrustedKey]
    /// What opens the role's secrets; `nil` where no keyring is at hand.
    let readerKey: ReaderKey?

    /// The attempts in the order in which a machine makes them.
    var attempts: [(name: String, attempt: () async throws -> Void)] {
        var attempts: [(String, () async throws -> Void)] = [
            ("reads its generation", generation), ("reads its secrets", secrets),
            ("reads where API servers answer", { _ = try await APIEndpoints(store: store, layout: layout).records() }),
            ("writes its status", status),
        ]
        if machine.role == .controlPlane {
            attempts.append(("reads, lists and writes etcd's records", etcd))
            attempts.append(("removes old backups of etcd", backups))
        }
        return attempts
    }

    private func generation() async throws {
        let generation = try await GenerationReader(store: store, layout: layout, trust: HeadTrust(trust)).current()
        var names = ["nodes/\(machine.group).json", AssetLock.objectName]
        if machine.role == .controlPlane {
            names += generation.manifest.objects.keys.filter { $0.hasPrefix("addons/") }
        }
        for name in names { _ = try await generation.object(named: name) }
    }

    private func secrets() async throws {
        let reader = SecretReader(machine.role)
        let names = ["bootstrap-token"] + (machine.role == .controlPlane ? KeysetName.controlPlane : [])
        for name in names {
            let place = try layout.secret(name, for: reader)
            guard let readerKey else {
                guard try await store.read(place) != nil else { throw missing(place) }
                continue
            }
            let secrets = SecretStore(store: store, layout: layout)
            guard try await secrets.read(name, of: reader, with: readerKey) != nil else { throw missing(place) }
        }
    }

    private func missing(_ key: StoreKey) -> StoreError {
        .corrupt(
            key: key.description,
            reason: "it is not there; run kopslite update cluster \(layout.clusterName) --yes"
        )
    }

    /// Beside the agents' own reports, so that nothing of theirs is touched.
    private func status() async throws {
        try await store.write(Array("{}\n".utf8), to: Self.statusTrace(of: machine, in: layout), when: .always)
    }

    /// All that trials of these machines leave in the store; only an operator may remove it.
    static func traces(of machines: [ResolvedMachine], in layout: ClusterLayout) throws -> [StoreKey] {
        try machines.map { try statusTrace(of: $0, in: layout) } + [etcdTrace(in: layout)]
    }

    private static func statusTrace(of machine: ResolvedMachine, in layout: ClusterLayout) throws -> StoreKey {
        try layout.status(of: "preflight", on: machine.name)
    }

    /// Beside the members' own reports.
    private static func etcdTrace(in layout: ClusterLayout) throws -> StoreKey {
        try layout.etcdRegister("main", "reports/preflight.json")
    }

    private func etcd() async throws {
        let identity = try layout.etcdIdentity("main")
        _ = try await store.read(identity)
        _ = try await store.list(StoreKey(parts: Array(identity.parts.dropLast())))
        try await store.write(Array("{}\n".utf8), to: Self.etcdTrace(in: layout), when: .always)
    }

    /// One that is not there: any that was written, if only for the trial, would tell machines that etcd has existed.
    private func backups() async throws {
        try await store.remove(try layout.backup("preflight", "0", of: "main"), when: .always)
    }
}
