// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import StateStore
import Synchronization

/// Signed requests to one bucket, wherever it turns out to be.
final class S3Client: Sendable {
    /// A request before it is addressed and signed.
    struct Call: Sendable {
        var method: String
        /// The key in the bucket; empty for the bucket itself.
        var key: String
        var query: [(name: String, value: String)]
        var headers: [(name: String, value: String)]
        var body: [UInt8]
        /// How large an answer may be.
        var limit: Int

        init(
            _ method: String,
            _ key: String,
            query: [(name: String, value: String)] = [],
            headers: [(name: String, value: String)] = [],
            body: [UInt8] = [],
            limit: Int = 1 << 20
        ) {
            self.method = method
            self.key = key
            self.query = query
            self.headers = headers
            self.body = body
            self.limit = limit
        }
    }

    /// An answer, with the error document taken apart where it is one.
    struct Answer: Sendable {
        var response: HTTPResponse
        /// S3's code, such as `NoSuchKey`; `nil` when there is none.
        var code: String?
        var message: String?
        var serverTime: String?

        init(_ response: HTTPResponse) {
            self.response = response
            guard response.status >= 300, let error = XMLElement(parsing: response.body)?.first("Error") else { return }
            code = error["Code"]
            message = error["Message"]
            serverTime = error["ServerTime"]
        }

        /// Whether a 404 says that the object is not there, and not that the bucket is not.
        var isAboutObject: Bool { code == nil || code == "NoSuchKey" }

        /// The object's ETag.
        var version: ObjectVersion? { header("etag").map(ObjectVersion.init) }

        func header(_ name: String) -> String? { response.headers.last { $0.name == name }?.value }
    }

    private let location: S3Location
    private let context: StoreContext
    private let credentials: CredentialChain
    /// Where the bucket is, once that is known.
    private let region: Mutex<String?>

    init(location: S3Location, context: StoreContext) {
        self.location = location
        self.context = context
        credentials = CredentialChain(context)
        region = Mutex(location.region)
    }

    /// Sends a request; a bucket that is elsewhere is followed there once.
    ///
    /// - Throws: ``FetchError``, ``StoreError``.
    func send(_ call: Call) async throws -> Answer {
        let asked = region.withLock { $0 } ?? Self.firstRegion
        let answer = try await send(call, region: asked)
        guard [301, 307, 400].contains(answer.response.status), location.endpoint == nil,
            let found = answer.header("x-amz-bucket-region"), found != asked
        else { return answer }
        // A region that was named stays: machines are told the same one and must not look elsewhere on their own.
        guard location.region == nil else { return answer }
        region.withLock { $0 = found }
        return try await send(call, region: found)
    }

    /// Answers for every bucket, if only to say where it is.
    private static let firstRegion = "us-east-1"

    private func send(_ call: Call, region: String) async throws -> Answer {
        let address = location.address(of: call.key, region: region)
        let signer = SigV4Signer(
            credentials: try await credentials.current(for: location.shown, region: region),
            region: region,
            service: "s3"
        )
        var headers = call.headers
        if location.requesterPays { headers.append(("x-amz-request-payer", "requester")) }
        let signed = signer.headers(
            for: SigV4Signer.Request(
                method: call.method,
                host: address.host,
                path: address.path,
                query: call.query,
                headers: headers,
                payload: Hex.sha256(call.body)
            ),
            at: context.now()
        )
        let query = SigV4Signer.canonicalQuery(call.query)
        return Answer(
            try await context.http.send(
                HTTPRequest(
                    method: call.method,
                    url: address.url + (query.isEmpty ? "" : "?" + query),
                    headers: headers + signed,
                    body: call.body,
                    bodyLimit: call.limit,
                    followsRedirects: false,
                    timeouts: .sending(call.body.count)
                )
            )
        )
    }
}
