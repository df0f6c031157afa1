// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTesting
import StateStore
import Testing

@testable import Nodeup

/// What a worker takes from a store, and what it refuses.
@Suite struct AcquisitionTests {
    static let now = Date(timeIntervalSince1970: 1_700_000_000)

    /// A published cluster with one worker to be.
    struct Scene: Sendable {
        let store = MemoryStore()
        let keyring: Keyring
        let boot: BootConfig
        let layout: ClusterLayout
        let fixture: Fixture

        init(isSealed: Bool = false, lock: AssetLock? = nil) async throws {
            fixture = try await Fixture()
            var boot = fixture.inputs.boot
            keyring = Keyring(cluster: boot.clusterName, notAfter: .distantFuture)
            boot.trust = keyring.trust
            self.boot = boot
            layout = ClusterLayout(clusterName: boot.clusterName)
            try await SecretStore(store: store, layout: layout).write(
                [UInt8](JSONEncoder().encode(BootstrapToken(token: Fixture.token))),
                as: "bootstrap-token",
                for: .node,
                keyring: keyring,
                when: .absent
            )
            try await APIEndpoints(store: store, layout: layout)
                .publish(
                    EndpointRecord(address: "10.0.0.10", port: 443, updated: AcquisitionTests.now),
                    of: "control-plane-1"
                )
            var config = fixture.inputs.config
            config.assetsSealed = isSealed
            try await publish(config, lock: lock)
        }

        func publish(_ config: NodeConfig, lock: AssetLock? = nil, signers: [SigningKey]? = nil) async throws {
            var objects = ["nodes/nodes.json": try [UInt8](JSONEncoder().encode(config))]
            if let lock { objects[AssetLock.objectName] = try [UInt8](JSONEncoder().encode(lock)) }
            let reader = GenerationReader(store: store, layout: layout, trust: HeadTrust(keyring.trust))
            try await GenerationWriter(
                store: store,
                layout: layout,
                signers: signers ?? keyring.signing,
                author: "a@b"
            ).publish(objects: objects, previous: try await reader.head(), message: "m", now: AcquisitionTests.now)
        }

        func acquire(
            _ sealed: NodeInputs? = nil,
            key: ReaderKey? = nil,
            at time: Date = AcquisitionTests.now
        ) async throws -> Acquisition.Outcome {
            let key = try key ?? keyring.key(of: .node)
            // The worker's own permissions, and nothing more.
            let access = StoreAccess(of: .node, in: layout, group: boot.instanceGroup, instance: boot.instance)
            return try await Acquisition(
                boot: boot,
                store: RestrictedStore(store, to: access),
                facts: fixture.inputs.facts,
                readerKey: { key },
                now: { time }
            ).run(sealed: sealed, clock: SimulatedClock())
        }
    }

    private func code(_ body: () async throws -> Acquisition.Outcome) async -> String? {
        do {
            return try await body().storeFailure?.code
        } catch {
            return (error as? Failure)?.code ?? "\(error)"
        }
    }

    @Test func aWorkerTakesAllItNeedsWithItsOwnPermissions() async throws {
        let scene = try await Scene()
        let inputs = try await scene.acquire().inputs
        #expect(inputs.followed.number == 1 && inputs.followed.trust == scene.keyring.trust)
        #expect(inputs.bootstrapToken == Fixture.token)
        #expect(inputs.apiAddresses == ["10.0.0.10"])
        #expect(inputs.lock == nil)
    }

    @Test func severalControlPlanesAreReachedAtTheirOneAddress() async throws {
        let scene = try await Scene()
        var config = scene.fixture.inputs.config
        config.network.apiAddress = "10.0.0.254"
        try await scene.publish(config)
        #expect(try await scene.acquire().inputs.apiAddresses == ["10.0.0.254"])
    }

    struct Tampering: Sendable, CustomTestStringConvertible {
        var code: String
        var change: @Sendable (Scene) async throws -> Void
        var testDescription: String { code }
    }

    static let tamperings = [
        Tampering(code: "generation-object-altered") { scene in
            let key = try scene.layout.object("nodes/nodes.json", in: 2)
            var bytes = await scene.store.read(key)?.bytes ?? []
            bytes[bytes.count / 2] ^= 1
            try await scene.store.write(bytes, to: key, when: .always)
        },
        Tampering(code: "generation-manifest-mismatch") { scene in
            let key = try scene.layout.manifest(2)
            var bytes = await scene.store.read(key)?.bytes ?? []
            bytes[bytes.count / 2] ^= 1
            try await scene.store.write(bytes, to: key, when: .always)
        },
        Tampering(code: "generation-untrusted") { scene in
            // Another's keys, as of a namesake elsewhere.
            try await scene.publish(scene.fixture.inputs.config, signers: [SigningKey(notAfter: .distantFuture)])
        },
        Tampering(code: "generation-not-published") { scene in
            try await scene.store.remove(scene.layout.head(), when: .always)
        },
        Tampering(code: "secret-unopened") { scene in
            let other = Keyring(cluster: scene.boot.clusterName, notAfter: .distantFuture)
            try await SecretStore(store: scene.store, layout: scene.layout).write(
                [1],
                as: "bootstrap-token",
                for: .node,
                keyring: other,
                when: .always
            )
        },
        Tampering(code: "secret-missing") { scene in
            try await scene.store.remove(scene.layout.secret("bootstrap-token", for: .node), when: .always)
        },
    ]

    /// A machine that runs goes on from what it has, and says why; one that never ran does nothing.
    @Test(arguments: tamperings) func whatWasAlteredIsRefusedByNameAndNothingChanges(
        _ tampering: Tampering
    ) async throws {
        let scene = try await Scene()
        let sealed = try await scene.acquire().inputs
        try await scene.publish(scene.fixture.inputs.config)
        try await tampering.change(scene)
        let outcome = try await scene.acquire(sealed)
        #expect(outcome.storeFailure?.code == tampering.code)
        #expect(outcome.inputs == sealed)
        #expect(await code { try await scene.acquire() } == tampering.code)
    }

    @Test func anOlderHeadIsRefused() async throws {
        let scene = try await Scene()
        let head = try #require(await scene.store.read(try scene.layout.head()))
        try await scene.publish(scene.fixture.inputs.config)
        let sealed = try await scene.acquire().inputs
        try await scene.store.write(head.bytes, to: try scene.layout.head(), when: .always)
        #expect(await code { try await scene.acquire(sealed) } == "generation-older")
    }

    @Test func anExpiredKeyIsRefused() async throws {
        let scene = try await Scene()
        #expect(await code { try await scene.acquire(at: .distantFuture) } == "generation-key-expired")
    }

    @Test func anothersReaderKeyOpensNothing() async throws {
        let scene = try await Scene()
        let other = ReaderKey(reader: .node)
        #expect(await code { try await scene.acquire(key: other) } == "secret-unopened")
    }

    @Test func aSealedClusterBringsItsLock() async throws {
        let lock = AssetLock(assets: [])
        let scene = try await Scene(isSealed: true, lock: lock)
        #expect(try await scene.acquire().inputs.lock == lock)
        let without = try await Scene(isSealed: true)
        #expect(await code { try await without.acquire() } == "generation-object-unlisted")
    }
}
