// SPDX-License-Identifier: Apache-2.0
import Fetch
import StateStore
import Testing

@testable import ObjectStores

/// moto's S3 in a process of its own, with one bucket.
struct MotoServer: Sendable {
    let port: Int
    var endpoint: String { "http://127.0.0.1:\(port)" }
    static let bucket = "state"

    /// Runs a server with an empty bucket while the body runs.
    static func run(_ body: @Sendable (MotoServer) async throws -> Void) async throws {
        try await TestEnvironment.serve("moto") { port in
            let server = MotoServer(port: port)
            let made = try await CurlClient().send(
                HTTPRequest(method: "PUT", url: "\(server.endpoint)/\(bucket)", headers: [("Content-Length", "0")])
            )
            try #require(made.status == 200)
            try await body(server)
        }
    }

    /// Credentials that a server without authentication takes.
    static let anybody = ["AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"]

    /// A store in the bucket.
    func store(
        _ prefix: String = "",
        bucket: String = bucket,
        environment: [String: String] = anybody
    ) throws -> S3Store {
        try S3Store(
            url: "s3://\(bucket)\(prefix.isEmpty ? "" : "/")\(prefix)?endpoint=\(PercentEncoding.encode(endpoint))",
            context: StoreContext(http: CurlClient(), environment: environment)
        )
    }
}
