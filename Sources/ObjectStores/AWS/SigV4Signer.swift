// SPDX-License-Identifier: Apache-2.0
import Crypto
import FoundationEssentials

/// Signs requests as AWS asks for it.
///
/// - Source: "Signature Version 4 signing process" of the AWS General Reference; for S3 each segment of a path is encoded once.
struct SigV4Signer: Sendable {
    /// A request as far as its signature covers it.
    struct Request {
        var method: String
        /// The host with a port that is not the scheme's own.
        var host: String
        /// Encoded, beginning with a slash.
        var path: String
        /// Neither encoded nor sorted.
        var query: [(name: String, value: String)] = []
        /// Beside `host` and those that the signer adds.
        var headers: [(name: String, value: String)] = []
        /// The SHA-256 of the body in hex.
        var payload: String
    }

    var credentials: AWSCredentials
    var region: String
    var service: String
    /// S3 wants the payload's digest in a header, others do not.
    var addsPayloadHeader = true

    /// The headers that make a request a signed one.
    func headers(for request: Request, at now: Date) -> [(name: String, value: String)] {
        let time = Self.time(now)
        var added = [(name: "x-amz-date", value: time)]
        if addsPayloadHeader { added.append(("x-amz-content-sha256", request.payload)) }
        if let token = credentials.sessionToken { added.append(("x-amz-security-token", token)) }
        let signed = ([("host", request.host)] + request.headers + added).map {
            (name: $0.0.lowercased(), value: Self.trimmed($0.1))
        }.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
        let names = signed.map(\.name).joined(separator: ";")
        let canonical = [
            request.method, request.path, Self.canonicalQuery(request.query),
            signed.map { "\($0.name):\($0.value)\n" }.joined(), names, request.payload,
        ].joined(separator: "\n")
        let scope = "\(time.prefix(8))/\(region)/\(service)/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(Hex.text(SHA256.hash(data: Array(canonical.utf8))))"
        let signature = Hex.text(Self.hmac(text, key: signingKey(day: String(time.prefix(8)))))
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
        return added + [("Authorization", authorization)]
    }

    /// A query as it is signed and sent: encoded, sorted by name, then by value.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// `20150830T123600Z`.
    static func time(_ now: Date) -> String {
        now.formatted(Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted))
    }

    private func signingKey(day: String) -> SymmetricKey {
        let steps = [day, region, service, "aws4_request"]
        return steps.reduce(SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8))) { key, step in
            SymmetricKey(data: Self.hmac(step, key: key))
        }
    }

    private static func hmac(_ text: String, key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }

    /// Without blanks around it, and runs of blanks as one.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }
}

/// Bytes as lower-case hex digits.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func sha256(_ bytes: [UInt8]) -> String { text(SHA256.hash(data: bytes)) }
}
