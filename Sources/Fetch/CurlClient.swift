// SPDX-License-Identifier: Apache-2.0
import Synchronization
public import SystemPackage

/// HTTP over libcurl, all transfers of a client on one thread of its own.
///
/// Connections are kept and shared, HTTP/2 is used where the server has it, proxies come from the environment
/// (`https_proxy`, `no_proxy`, curl(1)). `GET` and `HEAD` follow up to ten redirects, never from https to http and never
/// with a client certificate. Cancelling the task ends the transfer.
public final class CurlClient: HTTPClient {
    private let driver = CurlDriver()

    /// Makes a client; its thread starts with the first request.
    public init() {}

    deinit { driver.stop() }

    /// Sends a request and returns the whole answer, whatever its status; an answer above 64 MiB is an error.
    ///
    /// - Throws: ``FetchError`` when no answer came, `CancellationError` when the task was cancelled.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        try await perform(request, sink: .memory(limit: 64 << 20))
    }

    /// Writes a resource (`http`, `https`, `file`) to a file, resuming at the file's present length.
    ///
    /// What an interrupted transfer wrote stays for the next call. The bytes are not verified here.
    ///
    /// - Throws: ``FetchError``, `CancellationError`.
    public func download(_ url: String, to file: FilePath, timeouts: Timeouts) async throws {
        if let source = try LocalFile.source(of: url) { return try await LocalFile.copy(source, to: file) }
        let length = LocalFile.length(of: file)
        let response = try await perform(HTTPRequest(url: url, timeouts: timeouts), sink: .file(file, from: length))
        switch response.status {
        case 200..<300: return
        case 416 where length > 0:
            // Nothing after our last byte: either we have everything, or our part belongs to something else.
            if response.headers.contains(where: { $0.name == "content-range" && $0.value == "bytes */\(length)" }) {
                return
            }
            try LocalFile.truncate(file)
            let whole = try await perform(HTTPRequest(url: url, timeouts: timeouts), sink: .file(file, from: 0))
            guard (200..<300).contains(whole.status) else {
                throw FetchError.status(whole.status, method: "GET", url: url, headers: whole.headers)
            }
        default: throw FetchError.status(response.status, method: "GET", url: url, headers: response.headers)
        }
    }

    private func perform(_ request: HTTPRequest, sink: Sink) async throws -> HTTPResponse {
        let ticket = Ticket()
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                driver.submit(Job(request: request, sink: sink, ticket: ticket, continuation: continuation))
            }
        } onCancel: {
            ticket.cancel()
            driver.wake()
        }
    }
}

/// Where an answer's body goes.
enum Sink: Sendable {
    case memory(limit: Int)
    case file(FilePath, from: Int64)
}

/// A request on its way to the thread.
struct Job: Sendable {
    let request: HTTPRequest
    let sink: Sink
    let ticket: Ticket
    let continuation: CheckedContinuation<HTTPResponse, any Error>
}

/// Says across threads that nobody waits for an answer any more.
final class Ticket: Sendable {
    private let cancelled = Atomic(false)

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func cancel() { cancelled.store(true, ordering: .releasing) }
}
