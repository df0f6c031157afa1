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

    /// Sends a request and returns the whole answer, whatever its status.
    ///
    /// - Throws: ``FetchError`` when no answer came or it is too large, `CancellationError` when the task was cancelled.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        try await perform(request, sink: .memory)
    }

    /// Writes a resource (`http`, `https`, `file`) to a file, resuming at the file's present length.
    ///
    /// What an interrupted transfer wrote stays for the next call. The bytes are not verified here.
    ///
    /// - Throws: ``FetchError``, `CancellationError`.
    public func download(_ download: Download) async throws {
        if let source = try LocalFile.source(of: download.url) {
            return try await LocalFile.copy(source, for: download)
        }
        var length = LocalFile.length(of: download.file)
        if let size = download.size, length > size {
            try LocalFile.truncate(download.file)
            length = 0
        }
        let response = try await get(download, from: length)
        guard response.status == 416, length > 0 else { return try check(response, of: download) }
        // Nothing after our last byte: either we have everything, or our part belongs to something else.
        let total = ContentRange(response.headers)?.total
        if total == length { return }
        if let size = download.size, let total, total != size { throw FetchError.size(of: download, is: total) }
        try LocalFile.truncate(download.file)
        try check(try await get(download, from: 0), of: download)
    }

    /// Sends a file with `PUT` and returns the whole answer, whatever its status; redirects are not followed.
    ///
    /// - Throws: ``FetchError`` when the file cannot be read or no answer came, `CancellationError`.
    public func upload(
        _ file: FilePath,
        to url: String,
        headers: [(name: String, value: String)] = [],
        timeouts: Timeouts = Timeouts()
    ) async throws -> HTTPResponse {
        let request = HTTPRequest(method: "PUT", url: url, headers: headers, timeouts: timeouts)
        return try await perform(request, source: file, sink: .memory)
    }

    private func get(_ download: Download, from offset: Int64) async throws -> HTTPResponse {
        let request = HTTPRequest(
            url: download.url,
            followsRedirects: download.followsRedirects,
            timeouts: download.timeouts
        )
        return try await perform(request, sink: .file(download, from: offset))
    }

    private func check(_ response: HTTPResponse, of download: Download) throws(FetchError) {
        switch response.status {
        case 200..<300: return
        case 300..<400 where !download.followsRedirects:
            throw FetchError(
                .permanent,
                code: "redirect-refused",
                "GET \(FetchError.shown(download.url)): the server leads to another address (\(response.status))",
                hint: "name the address it leads to as the source"
            )
        default:
            let (url, headers) = (download.url, response.headers)
            throw FetchError.status(response.status, method: "GET", url: url, headers: headers)
        }
    }

    private func perform(_ request: HTTPRequest, source: FilePath? = nil, sink: Sink) async throws -> HTTPResponse {
        let ticket = Ticket()
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                let job = Job(request: request, source: source, sink: sink, ticket: ticket, continuation: continuation)
                driver.submit(job)
            }
        } onCancel: {
            ticket.cancel()
            driver.wake()
        }
    }
}

/// Where an answer's body goes.
enum Sink: Sendable {
    case memory
    case file(Download, from: Int64)
}

/// A request on its way to the thread.
struct Job: Sendable {
    let request: HTTPRequest
    /// The body, when it is a file's.
    let source: FilePath?
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
