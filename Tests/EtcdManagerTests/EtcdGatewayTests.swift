// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import Testing

/// What the gateway's answers mean, release by release.
@Suite struct EtcdGatewayTests {
    static let endpoint = "https://etcd:2379"

    enum Verdict: String {
        case unreachable
        case rejected
        case malformed
    }

    @Test(arguments: [
        (
            412, #"{"error":"etcdserver: Peer URLs already exists","message":"etcdserver: …","code":9}"#,
            Verdict.rejected
        ),
        (400, #"{"code":9, "message":"etcdserver: Peer URLs already exists"}"#, .rejected),
        (404, #"{"code":5, "message":"etcdserver: member not found", "details":[]}"#, .rejected),
        (400, #"{"code":11, "message":"etcdserver: mvcc: required revision has been compacted"}"#, .rejected),
        (429, #"{"code":8, "message":"etcdserver: mvcc: database space exceeded"}"#, .rejected),
        // UNAVAILABLE, yet refused before anything was proposed.
        (503, #"{"code":14, "message":"etcdserver: unhealthy cluster"}"#, .rejected),
        (503, #"{"code":14, "message":"etcdserver: rpc not supported for learner"}"#, .rejected),
        // It may have happened.
        (503, #"{"code":14, "message":"etcdserver: request timed out"}"#, .unreachable),
        (503, #"{"code":14, "message":"etcdserver: leader changed"}"#, .unreachable),
        (504, #"{"code":4, "message":"context deadline exceeded"}"#, .unreachable),
        (408, #"{"error":"context canceled","message":"context canceled","code":1}"#, .unreachable),
        (500, #"{"code":2, "message":"etcdserver: something new"}"#, .unreachable),
        (500, #"{"code":15, "message":"etcdserver: corrupt cluster"}"#, .unreachable),
        // Something else answers, or a release without that path.
        (404, "Not Found\n", .malformed), (404, #"{"code":5, "message":"Not Found"}"#, .malformed),
        (502, "<html>Bad Gateway</html>", .malformed), (200, "<html>", .malformed), (200, "", .malformed),
    ])
    func anAnswerIsUnderstood(status: Int, body: String, verdict: Verdict) async {
        let gateway = EtcdGateway(http: OneAnswer(status, body), identity: nil)
        do {
            try await gateway.promote(7, at: Self.endpoint)
            Issue.record("it was done")
        } catch let error as EtcdError {
            let found: Verdict =
                switch error {
                case .unreachable: .unreachable
                case .rejected: .rejected
                case .malformed: .malformed
                }
            #expect(found == verdict, "\(error)")
            #expect("\(error)".contains(Self.endpoint))
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func whatIsLeftOutIsZeroAndNumbersAreWhole() async throws {
        let body = #"""
            {"header":{"cluster_id":"18446744073709551615","member_id":"9223372036854775808"},"version":"3.4.23",
             "raftIndex":"18446744073709551615"}
            """#
        let gateway = EtcdGateway(http: OneAnswer(200, body), identity: nil)
        let status = try await gateway.status(of: Self.endpoint)
        #expect(
            status
                == EtcdStatus(
                    version: "3.4.23",
                    clusterID: .max,
                    memberID: 1 << 63,
                    leader: 0,
                    revision: 0,
                    raftIndex: .max,
                    raftAppliedIndex: 0
                )
        )
    }

    @Test func noAnswerIsUnreachableAndStoppingIsNot() async throws {
        let silent = EtcdGateway(http: NoAnswer(FetchError(.transient, code: "timeout", "…")), identity: nil)
        await expectUnreachable { _ = try await silent.status(of: Self.endpoint) }
        let stopped = EtcdGateway(http: NoAnswer(CancellationError()), identity: nil)
        await #expect(throws: CancellationError.self) { _ = try await stopped.status(of: Self.endpoint) }
    }

    @Test(arguments: [
        ([UInt8]([0x61]), [UInt8]([0x62])), ([0x61, 0xFF], [0x62]), ([0xFF, 0xFF], [0]), ([], [0]),
    ])
    func aPrefixEndsBeforeTheNextKey(prefix: [UInt8], end: [UInt8]) {
        #expect(EtcdRange.prefix(prefix).end == end)
    }
}

/// Answers everything alike.
private struct OneAnswer: HTTPClient {
    let response: HTTPResponse

    init(_ status: Int, _ body: String) { response = HTTPResponse(status: status, body: Array(body.utf8)) }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse { response }
}

/// Never answers.
private struct NoAnswer: HTTPClient {
    let error: any Error

    init(_ error: any Error) { self.error = error }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse { throw error }
}
