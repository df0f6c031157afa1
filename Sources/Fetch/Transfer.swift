// SPDX-License-Identifier: Apache-2.0
import CCurl

/// One request while it runs; lives on the client's thread only.
final class Transfer {
    let job: Job
    let easy: UnsafeMutableRawPointer
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private let errorText = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    var status = 0
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// Why we ended the transfer, when we did.
    var refusal: FetchError?
    private(set) var sink: FileSink?
    private(set) var source: FileSource?

    init(_ job: Job) throws(FetchError) {
        guard let easy = curl_easy_init() else {
            throw FetchError(
                .transient,
                code: "client-not-started",
                "libcurl has no memory for a request",
                hint: "free memory (free -m)"
            )
        }
        self.job = job
        self.easy = easy
        errorText.initialize(repeating: 0)
        if case .file(let download, let offset) = job.sink { sink = try FileSink(download, from: offset) }
        if let file = job.source { source = try FileSource(file) }
        try configure()
    }

    deinit {
        curl_easy_cleanup(easy)
        for list in lists { curl_slist_free_all(list) }
        errorText.deallocate()
    }

    /// Answers the caller with what libcurl found.
    func finish(_ code: CURLcode) {
        if let refusal { return fail(refusal) }
        guard code == CURLE_OK else {
            var verification = 0
            ccurl_info_long(easy, CURLINFO_SSL_VERIFYRESULT, &verification)
            let detail = String(decoding: errorText.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            return fail(
                .curl(code, detail: detail, request: job.request, status: status, verification: verification)
            )
        }
        do throws(FetchError) {
            try sink?.close(status: status, headers: headers)
            job.continuation.resume(returning: HTTPResponse(status: status, headers: headers, body: body))
        } catch {
            fail(error)
        }
    }

    /// Answers the caller with an error.
    func fail(_ error: any Error) { job.continuation.resume(throwing: error) }

    func fail(_ error: FetchError) { job.continuation.resume(throwing: error) }

    // MARK: Options

    private func configure() throws(FetchError) {
        let request = job.request
        try check(ccurl_set_string(easy, CURLOPT_URL, request.url), "URL")
        try check(ccurl_set_protocols(easy, request.url.lowercased().hasPrefix("https:") ? 0 : 1), "protocols")
        try check(ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText.baseAddress), "error buffer")
        try check(ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1), "signals")
        try check(ccurl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)), "HTTP version")
        try check(ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1), "keep-alive")
        try check(ccurl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1), "proxy headers")
        try configureMethod(request)
        try configureHeaders(request)
        try configureTimeouts(request.timeouts)
        try configureTLS(request.identity)
        try configureAddress(request.address)
        try configureAnswer()
    }

    private func configureMethod(_ request: HTTPRequest) throws(FetchError) {
        switch request.method {
        case "GET" where request.body.isEmpty: try check(ccurl_set_long(easy, CURLOPT_HTTPGET, 1), "method")
        case "HEAD": try check(ccurl_set_long(easy, CURLOPT_NOBODY, 1), "method")
        case "PUT" where source != nil: if let source { try configureUpload(source) }
        default:
            if !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) {
                try check(ccurl_set_off(easy, CURLOPT_POSTFIELDSIZE_LARGE, Int(request.body.count)), "body")
                let code = request.body.withUnsafeBytes { bytes in
                    // Copied by libcurl; an empty array has no address, and any other will do.
                    ccurl_set_pointer(
                        easy,
                        CURLOPT_COPYPOSTFIELDS,
                        UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(errorText.baseAddress))
                    )
                }
                try check(code, "body")
            }
            try check(ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method), "method")
        }
        let mayFollow =
            request.followsRedirects && ["GET", "HEAD"].contains(request.method) && request.identity?.certificate == nil
        try check(ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, mayFollow ? 1 : 0), "redirects")
        try check(ccurl_set_long(easy, CURLOPT_MAXREDIRS, 10), "redirects")
    }

    private func configureHeaders(_ request: HTTPRequest) throws(FetchError) {
        // libcurl's own additions that no server here wants are taken out by a name without a value.
        var lines = ["User-Agent: kopslite", "Expect:"]
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        for (name, value) in request.headers {
            guard !(name + value).unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
                throw FetchError(
                    .permanent,
                    code: "header-invalid",
                    "\(request.method) \(FetchError.shown(request.url)): header \(name) holds a control character",
                    hint: "take the line break out of the value it is made of"
                )
            }
            lines.append(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        if case .file(_, let offset) = job.sink, offset > 0 { lines.append("Range: bytes=\(offset)-") }
        try check(ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, try list(lines)), "headers")
    }

    private func configureTimeouts(_ timeouts: Timeouts) throws(FetchError) {
        try check(ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, timeouts.connect.milliseconds), "timeouts")
        try check(ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, timeouts.total.milliseconds), "timeouts")
        try check(ccurl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1000), "timeouts")
        try check(ccurl_set_long(easy, CURLOPT_LOW_SPEED_TIME, max(1, timeouts.stall.milliseconds / 1000)), "timeouts")
    }

    private func configureTLS(_ identity: TLSIdentity?) throws(FetchError) {
        guard let identity else { return }
        // A blob replaces the system's bundle but not its directory, which would still be trusted.
        try check(ccurl_set_string(easy, CURLOPT_CAPATH, nil), "authorities")
        try set(CURLOPT_CAINFO_BLOB, identity.authorities, "authorities")
        guard let certificate = identity.certificate, let privateKey = identity.privateKey else { return }
        try check(ccurl_set_string(easy, CURLOPT_SSLCERTTYPE, "PEM"), "client certificate")
        try check(ccurl_set_string(easy, CURLOPT_SSLKEYTYPE, "PEM"), "client key")
        try set(CURLOPT_SSLCERT_BLOB, certificate, "client certificate")
        try set(CURLOPT_SSLKEY_BLOB, privateKey, "client key")
    }

    /// The URL's name is still sent and verified; an address of ours is never behind a proxy.
    private func configureAddress(_ address: String?) throws(FetchError) {
        guard let address else { return }
        let isBareIPv6 = address.filter { $0 == ":" }.count > 1 && !address.hasPrefix("[")
        let target = isBareIPv6 ? "[\(address)]" : address
        let hasPort = target.hasPrefix("[") ? target.contains("]:") : target.contains(":")
        try check(
            ccurl_set_pointer(easy, CURLOPT_CONNECT_TO, try list(["::" + target + (hasPort ? "" : ":")])),
            "address"
        )
        try check(ccurl_set_string(easy, CURLOPT_NOPROXY, "*"), "proxy")
    }

    private func set(_ option: CURLoption, _ text: String, _ what: String) throws(FetchError) {
        let bytes = Array(text.utf8)
        try check(ccurl_set_blob(easy, option, bytes, bytes.count), what)
    }

    private func list(_ lines: [String]) throws(FetchError) -> UnsafeMutablePointer<curl_slist> {
        var head: UnsafeMutablePointer<curl_slist>?
        for line in lines { head = curl_slist_append(head, line) ?? head }
        guard let head else { throw FetchError(.transient, code: "out-of-memory", "libcurl has no memory for a list") }
        lists.append(head)
        return head
    }

    func check(_ code: CURLcode, _ what: String) throws(FetchError) {
        guard code != CURLE_OK else { return }
        throw FetchError(
            .permanent,
            code: "client-unsupported",
            "\(job.request.method) \(FetchError.shown(job.request.url)): libcurl refused the \(what): "
                + String(cString: curl_easy_strerror(code)),
            hint: "libcurl 7.77 or later is needed"
        )
    }
}

extension Duration {
    /// Whole milliseconds, at least one, as 0 means "for ever" to libcurl.
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = components
        // A thousand years are long enough, and no number overflows.
        return max(1, Int(min(max(0, seconds), 1 << 35)) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
