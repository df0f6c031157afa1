// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// Speaks HTTP and copies `file://` URLs; the real one is ``CurlClient``.
public protocol HTTPClient: Sendable {
    /// Sends a request and returns the whole answer, whatever its status.
    ///
    /// - Throws: ``FetchError`` when no answer came.
    func send(_ request: HTTPRequest) async throws -> HTTPResponse
    /// Writes a resource to a file, resuming at the file's present length where the source allows it.
    ///
    /// - Throws: ``FetchError`` when no answer came, its status is not 2xx, or it is not of the size that is wanted.
    func download(_ download: Download) async throws
    /// Sends a file with `PUT`, piece by piece, and returns the whole answer, whatever its status.
    ///
    /// - Throws: ``FetchError`` when the file cannot be read or no answer came.
    func upload(
        _ file: FilePath,
        to url: String,
        headers: [(name: String, value: String)],
        timeouts: Timeouts
    ) async throws -> HTTPResponse
}

extension HTTPClient {
    /// Refuses; for clients that only send requests.
    public func download(_ download: Download) async throws {
        throw Self.unsupported("GET", download.url)
    }

    /// Refuses; for clients that only send requests.
    public func upload(
        _ file: FilePath,
        to url: String,
        headers: [(name: String, value: String)] = [],
        timeouts: Timeouts = Timeouts()
    ) async throws -> HTTPResponse {
        throw Self.unsupported("PUT", url)
    }

    private static func unsupported(_ method: String, _ url: String) -> FetchError {
        FetchError(
            .permanent,
            code: "client-unsupported",
            "\(method) \(FetchError.shown(url)): this client transfers no files",
            hint: "use one that does, such as CurlClient"
        )
    }
}

/// A request.
public struct HTTPRequest: Sendable {
    /// `GET`, `PATCH`, … .
    public var method: String
    /// The absolute URL.
    public var url: String
    /// Header fields in order.
    public var headers: [(name: String, value: String)]
    /// The body; empty for none.
    public var body: [UInt8]
    /// How many bytes the answer may have; a longer one is a permanent `answer-too-large`.
    public var bodyLimit: Int
    /// Whether a `GET` or `HEAD` goes where the server leads to; otherwise the 3xx is the answer.
    public var followsRedirects: Bool
    /// Whom to trust and who we are; `nil` for the system's certificates and no client certificate.
    public var identity: TLSIdentity?
    /// Limits.
    public var timeouts: Timeouts
    /// Connect here instead of where the URL's host resolves to, such as `10.3.0.2`; the name is still verified.
    public var address: String?

    /// Makes a request from its parts.
    public init(
        method: String = "GET",
        url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        bodyLimit: Int = 64 << 20,
        followsRedirects: Bool = true,
        identity: TLSIdentity? = nil,
        timeouts: Timeouts = Timeouts(),
        address: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.bodyLimit = bodyLimit
        self.followsRedirects = followsRedirects
        self.identity = identity
        self.timeouts = timeouts
        self.address = address
    }
}

/// PEM texts: whom to trust, and optionally who we are.
public struct TLSIdentity: Sendable, CustomStringConvertible {
    /// The authorities that may sign the server's certificate.
    public var authorities: String
    /// Our certificate.
    public var certificate: String?
    /// Our private key.
    public var privateKey: String?

    /// Makes an identity from its parts.
    public init(authorities: String, certificate: String? = nil, privateKey: String? = nil) {
        self.authorities = authorities
        self.certificate = certificate
        self.privateKey = privateKey
    }

    /// Never the key.
    public var description: String { certificate == nil ? "<authorities>" : "<client certificate>" }
}

/// Limits of a request.
public struct Timeouts: Sendable {
    /// To a connection.
    public var connect: Duration
    /// To the end of the answer.
    public var total: Duration
    /// A transfer slower than 1 kB/s for this long is given up.
    public var stall: Duration

    /// Makes limits from their parts.
    public init(connect: Duration = .seconds(5), total: Duration = .seconds(60), stall: Duration = .seconds(15)) {
        self.connect = connect
        self.total = total
        self.stall = stall
    }
}

/// An answer.
public struct HTTPResponse: Sendable {
    /// The status code.
    public var status: Int
    /// Header fields in order, names in lower case.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// Makes an answer from its parts.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
