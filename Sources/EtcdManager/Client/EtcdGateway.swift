// SPDX-License-Identifier: Apache-2.0
public import Fetch
import FoundationEssentials

/// etcd's API as JSON over HTTPS, as every member serves it beside gRPC.
///
/// - Units: 64-bit numbers travel as decimal strings, bytes as base64; a field that is zero is left out.
/// - Source: etcd v3.4 and v3.5 `etcdserverpb/rpc.proto`, whose `google.api.http` options name the paths.
public struct EtcdGateway: EtcdAPI {
    /// Limits of a call: a member that is gone is noticed before callers run out of patience, and each call has its own.
    public static let timeouts = Timeouts(connect: .seconds(2), total: .seconds(5), stall: .seconds(5))

    /// The reason of a ``EtcdError/malformed(endpoint:reason:)`` where less has to be asked for at once.
    static let tooLarge = "answer-too-large"

    private let http: any HTTPClient
    private let identity: TLSIdentity?
    /// Limits of every call but those that take long by nature.
    let timeouts: Timeouts

    /// Makes a client of any number of members; `identity` is what they ask for, `nil` where they serve plain HTTP.
    public init(http: any HTTPClient, identity: TLSIdentity?, timeouts: Timeouts = EtcdGateway.timeouts) {
        self.http = http
        self.identity = identity
        self.timeouts = timeouts
    }

    /// Calls a method of the API and reads its answer.
    func call<Answer: Decodable>(
        _ path: String,
        _ request: some Encodable,
        at endpoint: String,
        timeouts: Timeouts? = nil
    ) async throws -> Answer {
        let body: [UInt8]
        do {
            body = Array(try JSONEncoder().encode(request))
        } catch {
            throw EtcdError.rejected(endpoint: endpoint, reason: "\(path): the request is no JSON: \(error)")
        }
        let response = try await send("POST", path, body: body, at: endpoint, timeouts: timeouts)
        guard response.status == 200 else { throw Self.error(response, at: endpoint) }
        return try Self.decode(response.body, at: endpoint)
    }

    /// Sends a request and returns whatever is answered.
    ///
    /// - Throws: ``EtcdError/unreachable(endpoint:reason:)`` when nothing is, ``EtcdError/malformed(endpoint:reason:)``
    ///   when it is more than `bodyLimit`, `CancellationError`.
    func send(
        _ method: String,
        _ path: String,
        body: [UInt8] = [],
        at endpoint: String,
        bodyLimit: Int = 64 << 20,
        timeouts: Timeouts? = nil
    ) async throws -> HTTPResponse {
        let request = HTTPRequest(
            method: method,
            url: endpoint + path,
            headers: body.isEmpty ? [] : [("Content-Type", "application/json")],
            body: body,
            bodyLimit: bodyLimit,
            followsRedirects: false,
            identity: identity,
            timeouts: timeouts ?? self.timeouts
        )
        do {
            return try await http.send(request)
        } catch let error as FetchError where error.code == Self.tooLarge {
            throw EtcdError.malformed(endpoint: endpoint, reason: Self.tooLarge)
        } catch let error as FetchError {
            throw EtcdError.unreachable(endpoint: endpoint, reason: error.message)
        }
    }

    static func decode<Answer: Decodable>(_ body: [UInt8], at endpoint: String) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(body))
        } catch {
            throw EtcdError.malformed(endpoint: endpoint, reason: shown(body))
        }
    }

    /// What a status other than 200 means: 3.4 says `error`, later releases `message`, all give gRPC's code.
    static func error(_ response: HTTPResponse, at endpoint: String) -> EtcdError {
        guard let answer = try? JSONDecoder().decode(GatewayError.self, from: Data(response.body)),
            let reason = answer.message ?? answer.error
        else { return .malformed(endpoint: endpoint, reason: "HTTP \(response.status) \(shown(response.body))") }
        // The gateway itself says "Not Found" where it has no such path.
        if response.status == 404, !reason.hasPrefix("etcdserver: ") {
            return .malformed(endpoint: endpoint, reason: "HTTP 404 \(reason)")
        }
        return answer.isRefusal
            ? .rejected(endpoint: endpoint, reason: reason)
            : .unreachable(endpoint: endpoint, reason: reason)
    }

    private static func shown(_ body: [UInt8]) -> String {
        let text = String(decoding: body.prefix(200), as: UTF8.self)
        return String(text.map { $0.isNewline ? " " : $0 })
    }
}

/// gRPC's status as the gateway tells it.
private struct GatewayError: Decodable {
    var code: Int?
    var message: String?
    var error: String?

    /// Codes by which etcd says no before anything is changed; all others leave open what has happened.
    ///
    /// INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION,
    /// OUT_OF_RANGE, UNIMPLEMENTED and UNAUTHENTICATED of gRPC's `code.proto`.
    private static let refusals: Set<Int> = [3, 5, 6, 7, 8, 9, 11, 12, 16]

    /// UNAVAILABLE by its code, yet decided before anything is proposed.
    private static let refusalsByReason: Set<String> = [
        "etcdserver: unhealthy cluster", "etcdserver: rpc not supported for learner", "etcdserver: not capable",
    ]

    var isRefusal: Bool {
        guard let code else { return false }
        return Self.refusals.contains(code) || Self.refusalsByReason.contains(message ?? error ?? "")
    }
}
