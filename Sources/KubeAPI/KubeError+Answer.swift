// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials

extension KubeError {
    private struct Status: Decodable {
        struct Details: Decodable {
            let retryAfterSeconds: Int?
        }
        let kind: String?
        let message: String?
        let reason: String?
        let details: Details?
    }

    /// The error of an answer that is not 2xx.
    init(_ response: HTTPResponse, method: String, path: String) {
        let status = try? JSONDecoder().decode(Status.self, from: Data(response.body))
        let text = status?.kind == "Status" ? status?.message : nil
        self.init(
            code: response.status,
            reason: status?.reason ?? Self.reason(of: response.status),
            message: "\(method) \(path): " + (text ?? "the server answered \(response.status)"),
            retryAfter: status?.details?.retryAfterSeconds.map { .seconds($0) }
        )
    }

    /// For answers that come from a proxy or from before the API machinery.
    private static func reason(of status: Int) -> String {
        switch status {
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "NotFound"
        case 409: "Conflict"
        case 410: "Expired"
        case 429: "TooManyRequests"
        case 503: "ServiceUnavailable"
        case 504: "Timeout"
        case 500...: "InternalError"
        default: "Unknown"
        }
    }
}
