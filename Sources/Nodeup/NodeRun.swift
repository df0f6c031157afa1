// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import Glibc
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import ObjectStores
import StateStore
import SystemPackage

/// A run that makes the machine a node of its cluster: acquire, download, plan, converge, report.
struct NodeRun {
    let configFile: FilePath

    /// The plan from the store, or from the sealed inputs; changes nothing.
    func plan(_ request: ListRun.Request) async throws -> Plan {
        let node = LiveNode()
        let boot = try await boot(on: node)
        let sealed = try await SealedInputs(node: node).read()
        let outcome = try await acquisition(boot, try openStore(boot.store), node).run(
            sealed: sealed,
            clock: ContinuousClock()
        )
        return try await run(outcome.inputs, on: node).plan(request)
    }

    /// Converges, reporting to the store from the first moment on.
    func converge(_ request: ListRun.Request, options: ConvergeOptions) async throws -> ConvergeReport {
        let node = LiveNode()
        let boot = try await boot(on: node)
        let store = try openStore(boot.store)
        let publisher = try StatusPublisher(of: boot, to: store)
        let reporter = StatusReporter(boot: boot, node: node, now: { Date() }, publish: { publisher.publish($0) })
        return try await publisher.accompany(on: ContinuousClock()) {
            do {
                return try await converge(boot, store, node, reporter) { run in
                    try await run.converge(request, pid: getpid(), options: options, observer: reporter)
                }
            } catch {
                let failure =
                    error as? Failure ?? Failure(.permanent, code: "unexpected", "nodeup stopped", cause: error)
                await reporter.end(.failed, "stopped", failure: failure)
                throw failure
            }
        }
    }

    private func converge(
        _ boot: BootConfig,
        _ store: any StateStore,
        _ node: LiveNode,
        _ reporter: StatusReporter,
        _ converge: (ListRun) async throws -> ConvergeReport
    ) async throws -> ConvergeReport {
        await reporter.recall()
        await reporter.enter(.acquiring, "reads \(boot.store)")
        let seal = SealedInputs(node: node)
        let outcome = try await acquisition(boot, store, node).run(
            sealed: try await seal.read(),
            clock: ContinuousClock()
        )
        try await seal.write(outcome.inputs)
        if let failure = outcome.storeFailure { await reporter.warn(failure) }

        let config = outcome.inputs.config
        await reporter.enter(.downloading, "\(config.assets.count) assets", inputs: outcome.inputs)
        try await download(outcome.inputs)

        let run = try run(outcome.inputs, on: node)
        await reporter.enter(.converging, "plans", inputs: outcome.inputs)
        let report = try await converge(run)
        if let root = report.rootFailures.first {
            await reporter.end(.failed, root.id.name, failure: root.failure)
        } else {
            await reporter.end(
                .converged,
                report.changedCount == 0 ? "nothing to do" : "done",
                failure: outcome.storeFailure
            )
        }
        return report
    }

    private func boot(on node: LiveNode) async throws -> BootConfig {
        try await BootConfig(
            from: configFile,
            on: node,
            otherwise: "without a cluster use `nodeup apply --tasks FILE`"
        )
    }

    private func acquisition(_ boot: BootConfig, _ store: any StateStore, _ node: LiveNode) async throws -> Acquisition
    {
        Acquisition(
            boot: boot,
            store: store,
            facts: try await NodeFactsProbe.observe(node),
            readerKey: { try await MachineSecrets.key(on: node) },
            now: { Date() }
        )
    }

    private func run(_ inputs: NodeInputs, on node: LiveNode) throws -> ListRun {
        try ListRun(
            list: "cluster \(inputs.boot.clusterName)",
            tasks: try NodeGraph.tasks(for: inputs),
            on: node
        )
    }

    private func download(_ inputs: NodeInputs) async throws {
        let files = inputs.config.assets.sorted { $0.key < $1.key }.map { name, asset in
            RemoteFile(name: name, sha256: asset.sha256, sources: asset.sources, size: asset.size)
        }
        let allowed = inputs.lock.map { lock in
            AllowedAssets(lock.assets.map { RemoteFile(name: $0.name, sha256: $0.sha256, sources: $0.sources) })
        }
        do {
            try await AssetFetcher(cache: NodeInputs.cache, http: CurlClient(), allowed: allowed).fetch(files)
        } catch let error as FetchError {
            throw Failure(
                error.isTransient ? .transient : .permanent,
                code: error.code,
                error.message,
                hint: error.hint
            )
        }
    }
}
