// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import PKI
import StateStore

/// Reads everything a node is built from out of the state store, before anything is planned.
///
/// A machine that was built once keeps its sealed inputs and needs the store no more: when the store cannot be read,
/// it goes on from them and says so.
struct Acquisition {
    let boot: BootConfig
    let store: any StateStore
    let facts: NodeFacts
    /// What opens the secrets of the machine's role; read when it is needed.
    let readerKey: @Sendable () async throws -> ReaderKey
    let now: @Sendable () -> Date
    /// How long a worker waits for the control plane's address.
    var patience: Duration = .seconds(600)

    /// The outcome: what to build from, and why the store was not used where it was not.
    struct Outcome {
        var inputs: NodeInputs
        var storeFailure: Failure?
    }

    /// Reads the store, or falls back on what was sealed by an earlier run.
    ///
    /// - Throws: ``Failure`` when the store cannot be read and nothing was sealed, or when what it holds is not for
    ///   this machine.
    func run(sealed: NodeInputs?, clock: some Clock<Duration>) async throws -> Outcome {
        do {
            return Outcome(inputs: try await fresh(sealed: sealed, clock: clock), storeFailure: nil)
        } catch {
            let failure = Failure(acquiringFrom: store.url, error)
            guard let sealed, sealed.boot == boot else { throw failure }
            return Outcome(inputs: sealed, storeFailure: failure)
        }
    }

    private var layout: ClusterLayout { ClusterLayout(clusterName: boot.clusterName) }

    /// What this machine has followed: a machine that was given a new identity starts anew.
    private func followed(_ sealed: NodeInputs?) -> FollowedGeneration? {
        sealed?.boot.trust == boot.trust ? sealed?.followed : nil
    }

    private func fresh(sealed: NodeInputs?, clock: some Clock<Duration>) async throws -> NodeInputs {
        let followed = followed(sealed)
        let trust = HeadTrust(followed?.trust ?? boot.trust, now: now)
        let generation = try await GenerationReader(store: store, layout: layout, trust: trust)
            .current(after: followed)
        let config: NodeConfig = try await decode(generation.object(named: "nodes/\(boot.instanceGroup).json"))
        guard config.clusterName == boot.clusterName, config.instanceGroup == boot.instanceGroup else {
            throw Failure(
                .permanent,
                code: "config-of-another-group",
                "generation \(generation.number) names \(config.clusterName)/\(config.instanceGroup) where this machine is"
                    + " \(boot.clusterName)/\(boot.instanceGroup)",
                hint: "run `kopslite update cluster \(boot.clusterName) --yes` again"
            )
        }
        let secrets = MachineSecrets(store: store, layout: layout, role: config.role, key: try await readerKey())
        return NodeInputs(
            boot: boot,
            followed: generation.followed,
            config: config,
            lock: config.assetsSealed ? try await AssetLock(of: generation) : nil,
            keysets: try await secrets.keysets(),
            bootstrapToken: try await secrets.bootstrapToken(),
            secrets: try await secrets.files(config.secrets),
            apiAddresses: try await apiAddresses(for: config, sealed: sealed, clock: clock),
            facts: facts
        )
    }

    /// Several control-plane machines have an address that always leads to one; a single one is its own API server, and
    /// workers read who says to be it.
    private func apiAddresses(
        for config: NodeConfig,
        sealed: NodeInputs?,
        clock: some Clock<Duration>
    ) async throws -> [String] {
        if let address = config.network.apiAddress { return [address] }
        if config.role == .controlPlane { return [boot.address] }
        let endpoints = try APIEndpoints(store: store, layout: layout)
        let deadline = clock.now.advanced(by: patience)
        // Each look is a request to an object store, and a control plane takes a minute or so.
        var pause = Duration.milliseconds(250)
        while true {
            let addresses = try await endpoints.records().values.map(\.address).sorted()
            if !addresses.isEmpty { return addresses }
            if let sealed, !sealed.apiAddresses.isEmpty { return sealed.apiAddresses }
            guard clock.now < deadline else {
                throw Failure(
                    .waiting,
                    code: "no-api-endpoint",
                    "waited \(patience) for a control-plane machine to publish its address at \(try layout.endpoints())",
                    hint: "see what the control plane reports: `kopslite watch cluster \(layout.clusterName)`"
                )
            }
            try await clock.sleep(until: clock.now.advanced(by: pause), tolerance: nil)
            pause = min(pause * 3 / 2, .seconds(2))
        }
    }

    private func decode<Value: Decodable>(_ bytes: [UInt8]) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw Failure(
                .permanent,
                code: "config-damaged",
                "the node configuration cannot be read: \(error)",
                hint: "nodeup and kopslite must be of the same release; run `kopslite update cluster` again"
            )
        }
    }
}

extension Failure {
    /// A store's error as the engine speaks of failures.
    init(acquiringFrom url: String, _ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as GenerationError:
            self.init(
                .transient,
                code: error.code,
                "the state store \(url) gives nothing to follow",
                hint: error.hint,
                cause: error
            )
        case let error as KeyringError:
            self.init(.permanent, code: error.code, "a secret cannot be used", hint: error.hint, cause: error)
        case StoreError.refused(let refusal):
            self.init(
                .permanent,
                code: refusal.code,
                "the state store \(refusal.url) refuses this machine",
                hint: refusal.hint,
                cause: StoreError.refused(refusal)
            )
        default:
            self.init(
                .transient,
                code: (error as? StoreError)?.code ?? "store-unreadable",
                "the state store \(url) cannot be read",
                hint: "check that the store is there and that this machine may read it",
                cause: error
            )
        }
    }
}
