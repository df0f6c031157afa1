// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc

extension Transfer {
    /// Lets libcurl read the body from the file, whose length the server is told.
    func configureUpload(_ source: FileSource) throws(FetchError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try check(ccurl_set_long(easy, CURLOPT_UPLOAD, 1), "upload")
        try check(ccurl_set_off(easy, CURLOPT_INFILESIZE_LARGE, Int(source.length)), "upload")
        try check(ccurl_set_read(easy, sendBody, context), "upload")
        try check(ccurl_set_seek(easy, rewindBody, context), "upload")
    }

    /// Gives the next piece of the body; `nil` ends the transfer with the refusal.
    fileprivate func give(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let source else { return 0 }
        do throws(FetchError) {
            return try source.read(into: buffer)
        } catch {
            refusal = error
            return nil
        }
    }
}

private func sendBody(
    bytes: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return Int(CURL_READFUNC_ABORT) }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
    return transfer.give(into: buffer) ?? Int(CURL_READFUNC_ABORT)
}

private func rewindBody(context: UnsafeMutableRawPointer?, offset: curl_off_t, origin: Int32) -> Int32 {
    guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.source?.seek(to: Int64(offset)) == true ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}
