// SPDX-License-Identifier: Apache-2.0
import StateStore

/// Where a `gs://` store is.
struct GCSLocation: Sendable, Equatable {
    var bucket: String
    var prefix: [String]
    /// An emulator's URL; `nil` for Google's own service.
    var endpoint: String?

    /// Reads a URL; what it leaves open comes from the environment.
    init(_ url: String, _ context: StoreContext) throws(StoreError) {
        let parts = try StoreURL(url, options: ["endpoint"])
        bucket = parts.authority
        prefix = parts.path
        endpoint = (parts.query["endpoint"] ?? context.variable("STORAGE_EMULATOR_HOST")).map {
            let text = $0.contains("://") ? $0 : "http://\($0)"
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
        guard !bucket.contains(":") else { throw .badURL(url, reason: "names no bucket") }
    }

    var url: String {
        StoreURL.canonical(
            scheme: "gs",
            authority: bucket,
            path: prefix,
            query: endpoint.map { ["endpoint": $0] } ?? [:]
        )
    }
    var shown: String { StoreURL.canonical(scheme: "gs", authority: bucket, path: prefix, query: [:]) }

    private var base: String { endpoint ?? "https://storage.googleapis.com" }
    var bucketURL: String { "\(base)/storage/v1/b/\(bucket)" }
    func object(_ key: StoreKey) -> String { "\(bucketURL)/o/\(name(key))" }
    func upload(_ key: StoreKey) -> String {
        "\(base)/upload/storage/v1/b/\(bucket)/o?uploadType=media&name=\(name(key))"
    }
    private func name(_ key: StoreKey) -> String {
        PercentEncoding.encode((prefix + key.parts).joined(separator: "/"))
    }
}
