// SPDX-License-Identifier: Apache-2.0
import Clouds
import Fetch
import Foundation
import KopsModel
import StateStore
import Synchronization
import SystemPackage
import Testing

@testable import KopsLite

/// Compares a text with a file beside the tests; `UPDATE_GOLDEN=1` rewrites the file, and the run fails still.
func expectGolden(_ text: String, _ name: String, source: SourceLocation = #_sourceLocation) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden").appendingPathComponent(name)
    let found = (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) }
    if found != text, ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: file)
    }
    #expect(text == found, "\(name) differs", sourceLocation: source)
}

/// A cloud in memory.
actor TestCloud: Cloud {
    nonisolated let name = "local"
    private var machines: [CloudInventory.Machine]
    private(set) var deleted: [String] = []

    init(machines: [CloudInventory.Machine] = []) { self.machines = machines }

    func inventory(of clusterName: String) -> CloudInventory {
        CloudInventory(
            machines: machines,
            volumes: machines.isEmpty ? [] : ["a.etcd-main"],
            networks: machines.isEmpty ? [] : ["demo"]
        )
    }
    func plan(_ desired: DesiredCloud) -> [CloudChange] { [] }
    func apply(_ desired: DesiredCloud, progress: @Sendable (CloudChange) -> Void) {}
    func delete(_ clusterName: String, progress: @Sendable (CloudChange) -> Void) {
        deleted.append(clusterName)
        for machine in machines { progress(CloudChange(.delete, "machine", machine.name)) }
        machines = []
    }
}

/// An API server that answers with what it was given.
struct TestKube: KubeReading {
    var nodes: [JSONValue] = []
    var pods: [JSONValue] = []

    func get(_ path: String) throws -> JSONValue {
        switch path {
        case "/api/v1/nodes": ["items": .array(nodes)]
        case "/api/v1/pods": ["items": .array(pods)]
        default: throw CommandFailure("no such path \(path)")
        }
    }

    func delete(_ path: String) throws { throw CommandFailure("no such path \(path)") }
}

/// Time that passes only when somebody sleeps; what is to happen meanwhile happens then.
final class TestClock: Clock, Sendable {
    typealias Instant = ContinuousClock.Instant
    private let state: Mutex<Instant>
    private let onSleep: @Sendable (Int) async -> Void
    private let sleeps = Mutex(0)

    init(onSleep: @escaping @Sendable (Int) async -> Void = { _ in }) {
        state = Mutex(ContinuousClock.now)
        self.onSleep = onSleep
    }

    var now: Instant { state.withLock { $0 } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = sleeps.withLock { count in
            count += 1
            return count
        }
        await onSleep(number)
        state.withLock { $0 = max($0, deadline) }
    }
}

/// Words a command said.
final class Transcript: Sendable {
    private let text = Mutex((output: "", notes: ""))

    var output: String { text.withLock { $0.output } }
    var notes: String { text.withLock { $0.notes } }

    func console(isTerminal: Bool = false) -> Console {
        Console(
            output: { words in self.text.withLock { $0.output += words } },
            diagnostics: { words in self.text.withLock { $0.notes += words } },
            isTerminal: isTerminal
        )
    }
}

/// A command line's whole world.
struct Bench: Sendable {
    var store = TestStore()
    var cloud = TestCloud()
    var kube = TestKube()
    var kubeFailure: String?
    var files: [String: String] = [:]
    var environment = ["KOPS_STATE_STORE": "memory://store/"]
    var clock = TestClock()
    var isTerminal = false
    var updates = Recorder()
    /// Whether `update` really updates.
    var isReal = false

    /// Names that `update` was asked for.
    final class Recorder: Sendable {
        private let items = Mutex<[String]>([])
        var all: [String] { items.withLock { $0 } }
        func add(_ item: String) { items.withLock { $0.append(item) } }
    }

    struct Result: Sendable {
        var code: Int32
        var output: String
        var notes: String
        /// Both streams and the exit code, for a golden file.
        var text: String { output + (notes.isEmpty ? "" : "[stderr]\n" + notes) + "[exit \(code)]\n" }
    }

    func run(_ line: String...) async -> Result {
        let transcript = Transcript()
        let session = session(transcript)
        let arguments = line.flatMap { $0.split(separator: " ").map(String.init) }
        let code = await Runner(session: session).run(arguments)
        return Result(code: code, output: transcript.output, notes: transcript.notes)
    }

    private func session(_ transcript: Transcript) -> Session {
        Session(
            console: transcript.console(isTerminal: isTerminal),
            environment: environment,
            clock: clock,
            now: { Date(timeIntervalSince1970: 1_700_000_000) },
            readFile: { [files] path in
                guard let text = files[path] else { throw CommandFailure("\(path) does not exist") }
                return Array(text.utf8)
            },
            openStore: { [store] url in
                guard url == store.url else { throw StoreError.badURL(url, reason: "is not the test's") }
                return store
            },
            cloud: { [cloud] _ in cloud },
            kubeAPI: { [kube, kubeFailure] _, _ in
                if let kubeFailure { throw CommandFailure(kubeFailure) }
                return kube
            },
            adminCredentials: { _, cluster, _ in
                AdminCredentials(
                    server: "https://\(cluster.cluster.spec.masterPublicName ?? "")",
                    serverName: nil,
                    authorities: "CA\n",
                    certificate: "CERT\n",
                    privateKey: "KEY\n"
                )
            },
            assets: { cluster in try await AssetInventory(cluster: cluster, http: RepositoryHTTP()).lock() },
            mirror: { _, _, _ in },
            preflight: { repository, cluster in
                Preflight(
                    repository: repository,
                    cluster: cluster,
                    http: NoHTTP(),
                    now: { Date(timeIntervalSince1970: 1_700_000_000) },
                    storeOf: { _ in Preflight.RoleStore(store: repository.store, isOwn: true) }
                )
            },
            update: { [updates, cloud, isReal] request, session in
                updates.add("\(request.cluster.name) \(request.isConfirmed)")
                guard isReal else { return }
                let update = ClusterUpdate(
                    repository: request.repository,
                    cluster: request.cluster,
                    cloud: cloud,
                    http: RepositoryHTTP(),
                    machineCredentials: MachineCredentials(environment: [:]),
                    author: "test@host",
                    now: session.now(),
                    leavesMachines: request.leavesMachines,
                    past: request.past
                )
                try await UpdateReport(update: update, console: session.console).run(isConfirmed: request.isConfirmed)
            }
        )
    }

    /// A bench on which demo.example.com was created and its first generation published.
    static func withGeneration() async throws -> Bench {
        var bench = Bench()
        bench.isReal = true
        let declared = await bench.run(
            "create cluster demo.example.com --zones local-a --node-count 1 --kubernetes-version 1.20.2 --file-repository",
            RepositoryHTTP.url
        )
        try #require(declared.code == 0, "\(declared.text)")
        let updated = await bench.run("update cluster demo.example.com --yes")
        try #require(updated.code == 0, "\(updated.text)")
        return bench
    }

    /// Replaces a text of an object as a person with an editor does.
    mutating func edit(_ what: String, _ old: String, _ new: String) async throws {
        let shown = await run("get \(what) --name demo.example.com -o yaml").output
        try #require(shown.contains(old), "\(shown)")
        files["edited.yaml"] = shown.replacing(old, with: new)
        let replaced = await run("replace -f edited.yaml")
        try #require(replaced.code == 0, "\(replaced.text)")
    }

    /// A bench on which demo.example.com was created.
    static func withCluster(_ options: String = "--zones local-a --node-count 1") async throws -> Bench {
        let bench = Bench()
        let result = await bench.run("create cluster demo.example.com \(options)")
        try #require(result.code == 0, "\(result.text)")
        return bench
    }

    /// Publishes generations of demo.example.com, signed with a key that its operators believe.
    func publish(generations count: Int) async throws {
        let layout = ClusterLayout(clusterName: "demo.example.com")
        let key = SigningKey(notAfter: .distantFuture)
        try await store.write(ClusterSecrets.encoded([key.trusted]), to: layout.trust(), when: .always)
        let writer = GenerationWriter(store: store, layout: layout, signers: [key], author: "test@host")
        var head: PublishedHead?
        for number in 1..<(count + 1) {
            head = try await writer.publish(
                objects: ["nodes/nodes.json": [UInt8(truncatingIfNeeded: number)]],
                previous: head,
                message: "update cluster",
                now: Date(timeIntervalSince1970: 1_700_000_000)
            )
        }
    }

    func report(_ status: AgentStatus) async throws {
        let key = try ClusterLayout(clusterName: "demo.example.com").status(of: status.agent, on: status.instance)
        try await store.write(try status.encoded(), to: key, when: .always)
    }
}

extension AgentStatus {
    static func sample(
        _ instance: String,
        _ phase: AgentPhase,
        agent: String = "nodeup",
        done: Int = 0,
        total: Int = 0,
        activity: String = "",
        failure: AgentFailure? = nil,
        age: Double = 0
    ) -> AgentStatus {
        let time = Date(timeIntervalSince1970: 1_700_000_000)
        return AgentStatus(
            agent: agent,
            instance: instance,
            instanceGroup: String(instance.dropLast(2)),
            role: instance.hasPrefix("control") ? .controlPlane : .node,
            generation: 1,
            phase: phase,
            activity: activity,
            tasksDone: done,
            tasksTotal: total,
            failure: failure,
            started: time.addingTimeInterval(-age),
            updated: time.addingTimeInterval(-age)
        )
    }
}
