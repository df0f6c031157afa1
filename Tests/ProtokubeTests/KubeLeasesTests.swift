// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import KopsModel
import KubeAPI
import NodeBuilders
import NodeOS
import NodeTesting
import Synchronization
import SystemPackage
import Testing

@testable import Protokube

/// An API server with Leases, as far as `KubeLeases` asks one.
final class LeaseServer: HTTPClient {
    struct State {
        var lease: JSONValue?
        var version = 0
        var readiness = 200
        var isListening = true
        var requests: [String] = []
        /// Takes a write for no change, as of an object that is there already.
        var ignoresWrites = false
    }

    static let path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kopslite-api-address"
    let state = Mutex(State())

    func send(_ request: HTTPRequest) throws -> HTTPResponse {
        try state.withLock { state in
            guard state.isListening else { throw FetchError(.transient, code: "connection-refused", "refused") }
            let path = String(request.url.dropFirst("https://127.0.0.1:443".count))
            state.requests.append("\(request.method) \(path)")
            switch (request.method, path) {
            case ("GET", "/readyz"): return HTTPResponse(status: state.readiness)
            case ("GET", Self.path): return try Self.answer(state.lease)
            case ("POST", _) where state.lease != nil: return HTTPResponse(status: 409)
            case ("POST", _), ("PUT", Self.path):
                let body = try JSONValue(parsing: request.body)
                let known = state.lease?["metadata"]?["resourceVersion"]
                guard body["metadata"]?["resourceVersion"] == known else { return HTTPResponse(status: 409) }
                guard !state.ignoresWrites else { return try Self.answer(state.lease) }
                state.version += 1
                state.lease = body
                state.lease?["metadata"]?["resourceVersion"] = .string("\(state.version)")
                return try Self.answer(state.lease)
            default: return HTTPResponse(status: 405)
            }
        }
    }

    private static func answer(_ object: JSONValue?) throws -> HTTPResponse {
        guard let object else { return HTTPResponse(status: 404) }
        return HTTPResponse(status: 200, body: try object.encoded())
    }
}

@Suite struct KubeLeasesTests {
    private let server = LeaseServer()
    private let fixture = Fixture()

    private func leases() async throws -> KubeLeases {
        try await fixture.seal()
        await fixture.node.change { machine in
            machine.put("authority", at: NodePaths.authority)
            for end in ["crt", "key"] { machine.put(end, at: NodePaths.adminPKI.appending("admin.\(end)")) }
        }
        return KubeLeases(
            api: LocalAPIServer(nodeState: fixture.nodeState, http: server, timeouts: KubeLeases.timeouts),
            timing: AddressElection.Timing(),
            now: { Date(timeIntervalSince1970: 1_700_000_000.25) }
        )
    }

    @Test("a Lease is made, renewed and given back, and says since when it is held")
    func writes() async throws {
        let leases = try await leases()
        #expect(try await leases.read() == nil)
        let first = try await leases.write(AddressLease(holder: "cp-1"))
        let since = "2023-11-14T22:13:20.250000Z"
        #expect(first == AddressLease(holder: "cp-1", transitions: 0, acquired: since, version: "1"))
        let spec = server.state.withLock { $0.lease?["spec"] }
        #expect(
            spec == [
                "holderIdentity": "cp-1", "leaseDurationSeconds": 10, "acquireTime": .string(since),
                "renewTime": .string(since), "leaseTransitions": 0,
            ]
        )
        let second = try await leases.write(first)
        #expect(second.version == "2" && second.acquired == since)
        #expect(try await leases.read() == second)
        var third = second
        third.holder = ""
        #expect(try await leases.write(third).holder == "")
    }

    @Test("what somebody else wrote meanwhile is not overwritten")
    func conflict() async throws {
        let leases = try await leases()
        let first = try await leases.write(AddressLease(holder: "cp-1"))
        _ = try await leases.write(first)
        await #expect(throws: KubeError.self) { try await leases.write(first) }
        await #expect(throws: KubeError.self) { try await leases.write(AddressLease(holder: "cp-2")) }
    }

    @Test("a renewal that nobody could see is none")
    func unseen() async throws {
        let leases = try await leases()
        let first = try await leases.write(AddressLease(holder: "cp-1"))
        server.state.withLock { $0.ignoresWrites = true }
        let failure = await #expect(throws: Failure.self) { try await leases.write(first) }
        #expect(failure?.code == "lease-unchanged")
    }

    @Test("not serving is told from not known")
    func readiness() async throws {
        let leases = try await leases()
        try await leases.ready()
        server.state.withLock { $0.readiness = 500 }
        await #expect(throws: NotServing.self) { try await leases.ready() }
        server.state.withLock { $0.isListening = false }
        await #expect(throws: NotServing.self) { try await leases.ready() }
    }

    @Test(
        "times have the six digits that Kubernetes wants",
        arguments: [
            (0.0, "1970-01-01T00:00:00.000000Z"), (1_700_000_000.5, "2023-11-14T22:13:20.500000Z"),
            (1.999_999_9, "1970-01-01T00:00:01.999999Z"),
        ]
    )
    func times(seconds: Double, text: String) {
        #expect(KubeLeases.microTime(Date(timeIntervalSince1970: seconds)) == text)
    }
}
