// SPDX-License-Identifier: Apache-2.0
import CCurl

/// X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL's x509_vfy.h.
private let certificateNotYetValid = 9

extension FetchError {
    /// What libcurl's verdict means for the caller (libcurl-errors(3)).
    ///
    /// `detail` is what `CURLOPT_ERRORBUFFER` holds, `status` the server's last status or 0, `verification` OpenSSL's
    /// verdict on the server's certificate.
    static func curl(
        _ code: CURLcode,
        detail: String,
        request: HTTPRequest,
        status: Int,
        verification: Int
    ) -> FetchError {
        let reason = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        func make(_ kind: Class, _ code: String, hint: String? = nil) -> FetchError {
            let place = request.address.map { " (at \($0))" } ?? ""
            return FetchError(
                kind,
                code: code,
                "\(request.method) \(shown(request.url))\(place): \(reason)",
                hint: hint
            )
        }
        switch code {
        case CURLE_URL_MALFORMAT: return make(.permanent, "url-invalid", hint: urlHint)
        case CURLE_UNSUPPORTED_PROTOCOL where (300..<400).contains(status):
            return make(.permanent, "redirect-refused", hint: "a redirect from https leads to another protocol")
        case CURLE_UNSUPPORTED_PROTOCOL where detail.contains("HTTP/0.9"):
            return make(.permanent, "not-http", hint: "check the port: what answers there does not speak HTTP")
        case CURLE_UNSUPPORTED_PROTOCOL: return make(.permanent, "url-invalid", hint: urlHint)
        case CURLE_TOO_MANY_REDIRECTS:
            return make(.permanent, "redirect-loop", hint: "correct the server, or give the address it should lead to")
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return make(.transient, "name-not-resolved", hint: "check the name, and this machine's /etc/resolv.conf")
        case CURLE_COULDNT_CONNECT:
            return make(.transient, "connection-refused", hint: "check that the server runs, the port, and firewalls")
        case CURLE_OPERATION_TIMEDOUT:
            return make(.transient, "timeout", hint: "check the network; a nearer source may be faster")
        case CURLE_PEER_FAILED_VERIFICATION where verification == certificateNotYetValid:
            return make(.transient, "tls-not-yet-valid", hint: "check this machine's clock")
        case CURLE_PEER_FAILED_VERIFICATION:
            return make(.permanent, "tls-untrusted", hint: "trust the authority that signed the server's certificate")
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE:
            return make(.permanent, "tls-identity-invalid", hint: "replace this machine's certificate and key")
        case CURLE_OUT_OF_MEMORY: return make(.transient, "out-of-memory", hint: "free memory (free -m)")
        default:
            return make(.transient, "connection-broken", hint: "check the network, and the server's log")
        }
    }

    private static let urlHint = "give an address such as https://host/path or file:///path"
}
