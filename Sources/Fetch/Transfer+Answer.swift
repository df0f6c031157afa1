// SPDX-License-Identifier: Apache-2.0
import CCurl

extension Transfer {
    /// Lets libcurl call us with what arrives.
    func configureAnswer() throws(FetchError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try check(ccurl_set_write(easy, receiveBody, context), "body")
        try check(ccurl_set_header(easy, receiveHeader, context), "headers")
        guard sink != nil else { return }
        try check(ccurl_set_progress(easy, feelPulse, context), "progress")
    }

    /// Takes a header line; a status line starts over, as after a redirect.
    fileprivate func take(header line: UnsafeRawBufferPointer) {
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            status = text.split(separator: " ").dropFirst().first.flatMap { Int($0.prefix(3)) } ?? 0
            headers = []
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.append((text[..<colon].lowercased(), String(value.prefix { !$0.isNewline })))
        }
    }

    /// Takes a piece of the body; `false` ends the transfer with the refusal.
    fileprivate func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        do throws(FetchError) {
            if let sink {
                try sink.take(bytes, status: status, headers: headers)
            } else {
                try remember(bytes)
            }
            return true
        } catch {
            refusal = error
            return false
        }
    }

    private func remember(_ bytes: UnsafeRawBufferPointer) throws(FetchError) {
        let limit = job.request.bodyLimit
        guard body.count + bytes.count <= limit else {
            throw FetchError(
                .permanent,
                code: "answer-too-large",
                "\(job.request.method) \(FetchError.shown(job.request.url)): the answer is larger than \(limit) bytes",
                hint: "check that the address is the one of the service that is meant"
            )
        }
        body.append(contentsOf: bytes)
    }
}

private func receiveBody(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.take(body: UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

private func receiveHeader(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    transfer.take(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

/// Called about once a second, also while nothing arrives (CURLOPT_XFERINFOFUNCTION(3)).
private func feelPulse(
    context: UnsafeMutableRawPointer?,
    toLoad: curl_off_t,
    loaded: curl_off_t,
    toSend: curl_off_t,
    sent: curl_off_t
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().sink?.pulse()
    return 0
}
