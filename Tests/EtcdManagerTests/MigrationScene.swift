// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import Synchronization
import Testing

@testable import EtcdManager

/// A real cluster of etcd with version 2 keys, a migration of them, and what may happen to it.
struct MigrationScene: Sendable {
    let cluster: RealEtcdCluster
    let record = FakeMigrationRecord()
    let http: HookedHTTP
    let migration: EtcdMigration

    /// Runs `body` with three members that serve version 2.
    static func run(
        minor: Int = 4,
        _ body: @escaping @Sendable (MigrationScene) async throws -> Void
    ) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), flags: ["--enable-v2"]) { cluster in
            try await body(MigrationScene(cluster))
        }
    }

    private init(_ cluster: RealEtcdCluster) {
        self.cluster = cluster
        http = HookedHTTP(base: cluster.http)
        migration = EtcdMigration(
            gateway: EtcdGateway(http: http, identity: cluster.identity),
            endpoints: ["a", "b", "c"].map(cluster.endpoint),
            record: record
        )
    }

    // MARK: Version 2

    /// Sets a key; it expires after so many seconds.
    func put(_ key: String, _ value: String, seconds: Int? = nil, at member: String = "c") async throws {
        let form = "value=\(Self.escaped(value))" + (seconds.map { "&ttl=\($0)" } ?? "")
        try await v2("PUT", key, form, at: member)
    }

    /// Makes a directory that expires with all that is in it.
    func putDirectory(_ key: String, seconds: Int) async throws {
        try await v2("PUT", key, "dir=true&ttl=\(seconds)")
    }

    func delete(_ key: String) async throws { try await v2("DELETE", key) }

    /// Writes so many keys as Kubernetes would, many at once; each twentieth expires.
    func fill(_ count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= 64 { try await group.next() }
                group.addTask {
                    let value = #"{"kind":"Pod","metadata":{"name":"\#(number)"}}"#
                    let seconds = number % 20 == 0 ? 600 + number % 400 : nil
                    let member = ["a", "b", "c"][number % 3]
                    try await put("/registry/pods/n\(number % 50)/\(number)", value, seconds: seconds, at: member)
                }
            }
            try await group.waitForAll()
        }
    }

    private func v2(_ method: String, _ key: String, _ form: String = "", at member: String = "c") async throws {
        let request = HTTPRequest(
            method: method,
            url: cluster.endpoint(member) + "/v2/keys" + Self.escaped(key, but: "/"),
            headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(form.utf8),
            identity: cluster.identity
        )
        let response = try await cluster.http.send(request)
        #expect((200...201).contains(response.status), "\(String(decoding: response.body, as: UTF8.self))")
    }

    private static func escaped(_ text: String, but plain: String = "") -> String {
        text.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || plain.contains(character) {
                return String(character)
            }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    // MARK: Version 3

    /// Every key of version 3 with what is beside it.
    func copies() async throws -> [[UInt8]: EtcdKeyValue] {
        var copies: [[UInt8]: EtcdKeyValue] = [:]
        try await cluster.gateway.pages(.all, at: cluster.endpoint("c")) { page in
            for pair in page.pairs { copies[pair.key] = pair }
        }
        return copies
    }

    /// Expects version 3 to hold what version 2 does, value by value, lease by lease.
    func expectEqual(isSwitched: Bool = false, _ location: SourceLocation = #_sourceLocation) async throws {
        let original = try await cluster.gateway.v2Snapshot(at: cluster.endpoint("c"))
        let copies = try await copies()
        let keys = copies.keys.filter { isSwitched || !$0.starts(with: Array("kopslite/".utf8)) }
        // One may have let go of an expiring key a moment before the other.
        let lasting = original.entries.filter { ($0.value.expiry?.remaining ?? 60) >= 60 }
        let unknown = keys.filter { original.entries[$0] == nil && copies[$0]?.lease == 0 }
        #expect(unknown.isEmpty, sourceLocation: location)
        var wrong: [String] = []
        for (key, entry) in lasting
        where copies[key]?.value != entry.value || (copies[key]?.lease != 0) != (entry.expiry != nil) {
            wrong.append(String(decoding: key, as: UTF8.self))
        }
        #expect(wrong.isEmpty, sourceLocation: location)
    }

    /// Expects nothing of a migration to be left.
    func expectUntouched(_ location: SourceLocation = #_sourceLocation) async throws {
        #expect(try await copies().isEmpty, sourceLocation: location)
        #expect(try await cluster.gateway.leases(at: cluster.endpoint("c")).isEmpty, sourceLocation: location)
        #expect(await record.state == nil, sourceLocation: location)
    }
}

/// A crash of whatever asks.
struct Crash: Error {}

/// Keeps a migration's state in memory; it crashes before or after its n-th writing when told so.
actor FakeMigrationRecord: MigrationRecord {
    private(set) var state: MigrationState?
    private(set) var phases: [MigrationState.Phase?] = []
    private var crash: (number: Int, isAfter: Bool)?
    private var count = 0

    func crash(atWrite number: Int?, isAfter: Bool = false) {
        crash = number.map { ($0, isAfter) }
        count = 0
    }

    func set(_ state: MigrationState?) { self.state = state }

    func read() -> MigrationState? { state }

    func write(_ state: MigrationState?) throws {
        count += 1
        if let crash, crash.number == count, !crash.isAfter { throw Crash() }
        self.state = state
        phases.append(state?.phase)
        if let crash, crash.number == count { throw Crash() }
    }
}

/// Passes requests on, and lets something happen before and after each.
final class HookedHTTP: HTTPClient {
    /// A request that is about to be sent, or was answered.
    struct Call: Sendable {
        let request: HTTPRequest
        let path: String
        /// From 1 on, of all.
        let number: Int
        /// From 1 on, of that path.
        let numberOfPath: Int
        let isAnswered: Bool
    }

    typealias Hook = @Sendable (Call) async throws -> Void

    private let base: any HTTPClient
    private let state = Mutex<(hook: Hook?, counts: [String: Int])>((nil, [:]))

    init(base: any HTTPClient) { self.base = base }

    /// Counts from 1 on again.
    func setHook(_ hook: Hook?) { state.withLock { $0 = (hook, [:]) } }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let url = request.url.prefix { $0 != "?" }
        let path = "/" + url.split(separator: "/").dropFirst(2).joined(separator: "/")
        let (hook, number, numberOfPath) = state.withLock { state in
            for name in ["", path] { state.counts[name, default: 0] += 1 }
            return (state.hook, state.counts[""] ?? 0, state.counts[path] ?? 0)
        }
        func call(isAnswered: Bool) -> Call {
            Call(
                request: request,
                path: path,
                number: number,
                numberOfPath: numberOfPath,
                isAnswered: isAnswered
            )
        }
        try await hook?(call(isAnswered: false))
        let response = try await base.send(request)
        try await hook?(call(isAnswered: true))
        return response
    }
}
