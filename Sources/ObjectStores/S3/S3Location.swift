// SPDX-License-Identifier: Apache-2.0
import StateStore

/// Where an `s3://` store is, and how its objects are to be written.
struct S3Location: Sendable, Equatable {
    /// How a bucket is named in a URL.
    enum Style: String, Sendable {
        /// `https://endpoint/bucket/key`.
        case path
        /// `https://bucket.endpoint/key`.
        case virtual
    }

    var bucket: String
    /// The parts before every key.
    var prefix: [String]
    /// The endpoint's URL without a slash at the end; `nil` for that of AWS in the region.
    var endpoint: String?
    /// `nil` where it is to be found out.
    var region: String?
    var style: Style?
    /// The server-side encryption that is asked for, `AES256` or `aws:kms`; `nil` for the bucket's own.
    var encryption: String?
    var kmsKey: String?
    /// A canned access control list, such as `bucket-owner-full-control`.
    var acl: String?
    /// Whether whoever asks pays.
    var requesterPays: Bool

    private static let options: Set = ["endpoint", "region", "style", "sse", "kms-key", "acl", "requester"]

    /// Reads a URL; what it leaves open comes from the environment.
    ///
    /// - Throws: ``StoreError/badURL(_:reason:)``.
    init(_ url: String, _ context: StoreContext) throws(StoreError) {
        let parts = try StoreURL(url, options: Self.options)
        guard Self.isBucket(parts.authority) else {
            throw .badURL(url, reason: "names no bucket: 3 to 63 characters of a-z, 0-9, dots and dashes")
        }
        bucket = parts.authority
        prefix = parts.path
        endpoint = try Self.endpoint(
            parts.query["endpoint"] ?? context.variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT"),
            url
        )
        region = parts.query["region"] ?? context.variable("AWS_REGION", "AWS_DEFAULT_REGION", "S3_REGION")
        // What is no AWS has one region, whatever it is called.
        if endpoint != nil { region = region ?? "us-east-1" }
        style = try Self.value(parts.query["style"], "style", of: ["path", "virtual"], url).flatMap(Style.init)
        encryption = try Self.value(parts.query["sse"], "sse", of: ["AES256", "aws:kms"], url)
        kmsKey = parts.query["kms-key"]
        acl = parts.query["acl"] ?? context.variable("KOPS_STATE_S3_ACL")
        requesterPays = try Self.value(parts.query["requester"], "requester", of: ["yes", "no"], url) == "yes"
    }

    /// The URL that says all of this without an environment.
    var url: String {
        var query: [String: String] = [:]
        query["endpoint"] = endpoint
        query["region"] = region
        query["style"] = style?.rawValue
        query["sse"] = encryption
        query["kms-key"] = kmsKey
        query["acl"] = acl
        if requesterPays { query["requester"] = "yes" }
        return StoreURL.canonical(scheme: "s3", authority: bucket, path: prefix, query: query)
    }

    /// For messages: without the options.
    var shown: String { StoreURL.canonical(scheme: "s3", authority: bucket, path: prefix, query: [:]) }

    /// The key of an object in the bucket.
    func key(_ key: StoreKey) -> String { (prefix + key.parts).joined(separator: "/") }

    /// The host, the path of a key and the URL of both, in a region.
    func address(of key: String, region: String) -> (host: String, path: String, url: String) {
        let base = endpoint ?? "https://s3.\(region).amazonaws.com"
        let halves = base.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        let (scheme, host) = (String(halves[0]), String(halves.count > 2 ? halves[2] : ""))
        let encoded = key.split(separator: "/", omittingEmptySubsequences: false).map {
            PercentEncoding.encode(String($0))
        }
        .joined(separator: "/")
        let isVirtual = style == .virtual || (style == nil && endpoint == nil && !bucket.contains("."))
        if isVirtual {
            let name = "\(bucket).\(host)"
            return (Self.withoutStandardPort(name, scheme), "/\(encoded)", "\(scheme)//\(name)/\(encoded)")
        }
        let path = "/\(bucket)/\(encoded)"
        return (Self.withoutStandardPort(host, scheme), path, "\(scheme)//\(host)\(path)")
    }

    /// As libcurl sends it, and thus as it is signed.
    private static func withoutStandardPort(_ host: String, _ scheme: String) -> String {
        let port = scheme == "https:" ? ":443" : ":80"
        return host.hasSuffix(port) ? String(host.dropLast(port.count)) : host
    }

    private static func endpoint(_ text: String?, _ url: String) throws(StoreError) -> String? {
        guard let text else { return nil }
        let bare = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let scheme = bare.firstRange(of: "://"), ["http", "https"].contains(bare[..<scheme.lowerBound]),
            !bare[scheme.upperBound...].contains(where: { "/?#@ ".contains($0) }),
            !bare[scheme.upperBound...].isEmpty
        else { throw .badURL(url, reason: "has an endpoint that is no https://host or http://host:port") }
        return bare
    }

    private static func value(
        _ value: String?,
        _ name: String,
        of known: [String],
        _ url: String
    ) throws(StoreError) -> String? {
        guard let value else { return nil }
        guard known.contains(value) else {
            throw .badURL(url, reason: "has \(name)=\(value); known: \(known.joined(separator: ", "))")
        }
        return value
    }

    private static func isBucket(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")
                    || $0 == UInt8(ascii: "-")
            } && !name.hasPrefix(".") && !name.hasPrefix("-") && !name.hasSuffix("-") && !name.hasSuffix(".")
    }
}
