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
            let failure = Self.failure(for: error, store: store.url)
            guard let sealed, sealed.boot == boot else { throw failure }
            return Outcome(inputs: sealed, storeFailure: failure)
        }
    }

    private var layout: ClusterLayout { ClusterLayout(clusterName: boot.clusterName) }

    private func fresh(sealed: NodeInputs?, clock: some Clock<Duration>) async throws -> NodeInputs {
        let generation = try await GenerationReader(store: store, layout: layout)
            .current(notOlderThan: sealed?.config.generation ?? 0)
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
        return NodeInputs(
            boot: boot,
            config: config,
            keysets: try await keysets(for: config),
            bootstrapToken: try await bootstrapToken(),
            apiAddresses: try await apiAddresses(for: config, sealed: sealed, clock: clock),
            facts: facts
        )
    }

    private func keysets(for config: NodeConfig) async throws -> [String: Keyset] {
        guard config.role == .controlPlane else { return [:] }
        var keysets: [String: Keyset] = [:]
        for name in KeysetName.controlPlane {
            keysets[name] = try await read(layout.secret(name, for: InstanceRole.controlPlane.rawValue))
        }
        return keysets
    }

    private func bootstrapToken() async throws -> String {
        let secret: BootstrapToken = try await read(layout.secret("bootstrap-token", for: InstanceRole.node.rawValue))
        return secret.token
    }

    /// A control-plane machine is its own API server; a worker reads who says to be one.
    private func apiAddresses(
        for config: NodeConfig,
        sealed: NodeInputs?,
        clock: some Clock<Duration>
    ) async throws -> [String] {
        if config.role == .controlPlane { return [boot.address] }
        let deadline = clock.now.advanced(by: patience)
        while true {
            let records = try await endpoints()
            if !records.isEmpty { return records }
            if let sealed, !sealed.apiAddresses.isEmpty { return sealed.apiAddresses }
            guard clock.now < deadline else {
                throw Failure(
                    .waiting,
                    code: "no-api-endpoint",
                    "waited \(patience) for a control-plane machine to publish its address under \(layout.clusterName)/discovery/api",
                    hint: "see what the control plane reports: `kopslite watch cluster \(layout.clusterName)`"
                )
            }
            try await clock.sleep(until: clock.now.advanced(by: .milliseconds(250)), tolerance: nil)
        }
    }

    private func endpoints() async throws -> [String] {
        var addresses: [String] = []
        for key in try await store.list(layout.endpoints()) {
            let record: EndpointRecord = try await read(key)
            addresses.append(record.address)
        }
        return addresses.sorted()
    }

    private func read<Value: Decodable>(_ key: StoreKey) async throws -> Value {
        guard let object = try await store.read(key) else {
            throw Failure(
                .permanent,
                code: "store-object-missing",
                "\(key) is not in the state store \(store.url)",
                hint: "run `kopslite update cluster \(boot.clusterName) --yes`"
            )
        }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(object.bytes))
        } catch {
            throw Failure(
                .permanent,
                code: "store-object-damaged",
                "\(key) in the state store \(store.url) cannot be read as JSON",
                hint: "run `kopslite update cluster \(boot.clusterName) --yes` to publish it again"
            )
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

    /// A store's error as the engine speaks of failures.
    static func failure(for error: any Error, store url: String) -> Failure {
        if let failure = error as? Failure { return failure }
        if let error = error as? GenerationError {
            return Failure(
                .transient,
                code: error.code,
                "the state store \(url) gives nothing to follow",
                hint: error.hint,
                cause: error
            )
        }
        return Failure(
            .transient,
            code: "store-unreadable",
            "the state store \(url) cannot be read",
            hint: "check that the store is there and that this machine may read it",
            cause: error
        )
    }
}
