// SPDX-License-Identifier: Apache-2.0
import Fetch
import Synchronization
import SystemPackage

/// A network whose answers a test gives.
final class ScriptedHTTP: HTTPClient {
    private let heard = Mutex<[HTTPRequest]>([])
    private let answer: @Sendable (HTTPRequest) throws -> HTTPResponse

    init(_ answer: @escaping @Sendable (HTTPRequest) throws -> HTTPResponse) { self.answer = answer }

    /// What was asked, in order.
    var requests: [HTTPRequest] { heard.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        heard.withLock { $0.append(request) }
        return try answer(request)
    }
}
