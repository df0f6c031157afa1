// SPDX-License-Identifier: Apache-2.0
import CryptoExtras
import Fetch
import FoundationEssentials
import StateStore

/// Tokens for Google's services, from the first place that gives some; kept until shortly before they end.
///
/// - Source: "How Application Default Credentials works" of Google Cloud, and RFC 7523 for service accounts.
actor GCSTokens {
    private let context: StoreContext
    /// An emulator asks for none.
    private let needsNone: Bool
    private var cached: (token: String, expires: Date)?
    private var refresh: Task<(token: String, expires: Date), any Error>?

    private static let margin: TimeInterval = 300
    private static let scope = "https://www.googleapis.com/auth/devstorage.read_write"

    init(_ context: StoreContext, needsNone: Bool) {
        self.context = context
        self.needsNone = needsNone
    }

    /// A token that is valid now; all who ask meanwhile wait for one renewal.
    ///
    /// - Throws: ``StoreError/refused(_:)`` `credentials-missing`, `credentials-unusable`.
    func current(for store: String) async throws -> String? {
        if needsNone { return nil }
        if let cached, context.now().addingTimeInterval(Self.margin) < cached.expires { return cached.token }
        if let refresh { return try await refresh.value.token }
        let context = context
        let task = Task { try await Self.find(context, store) }
        refresh = task
        defer { refresh = nil }
        let found = try await task.value
        cached = found
        return found.token
    }

    private static func find(_ context: StoreContext, _ store: String) async throws -> (token: String, expires: Date) {
        func unusable(_ reason: String, _ hint: String) -> StoreError {
            .refused(StoreRefusal(code: "credentials-unusable", url: store, reason: reason, hint: hint))
        }
        let home = context.variable("HOME") ?? "/root"
        let named = context.variable("GOOGLE_APPLICATION_CREDENTIALS")
        let file = named ?? "\(home)/.config/gcloud/application_default_credentials.json"
        if let data = try? Data(contentsOf: URL(filePath: file)) {
            guard let key = try? decoder.decode(CredentialDocument.self, from: data) else {
                throw unusable("\(file) is no JSON of credentials", "download it again")
            }
            return try await exchange(key, file, context, unusable)
        }
        guard named == nil else { throw unusable("\(file) cannot be read", "correct GOOGLE_APPLICATION_CREDENTIALS") }
        if let found = try await metadata(context) { return found }
        throw StoreError.refused(
            StoreRefusal(
                code: "credentials-missing",
                url: store,
                reason: "no credentials were found in: GOOGLE_APPLICATION_CREDENTIALS; \(file); the metadata server",
                hint: "gcloud auth application-default login, or give the machine a service account"
            )
        )
    }

    private struct CredentialDocument: Decodable {
        let type: String
        let clientEmail: String?
        let privateKey: String?
        let privateKeyId: String?
        let tokenUri: String?
        let clientId: String?
        let clientSecret: String?
        let refreshToken: String?
    }

    private struct TokenDocument: Decodable {
        let accessToken: String
        let expiresIn: Double
    }

    /// Google writes names with underscores.
    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private static func exchange(
        _ key: CredentialDocument,
        _ file: String,
        _ context: StoreContext,
        _ unusable: (String, String) -> StoreError
    ) async throws -> (token: String, expires: Date) {
        let endpoint = key.tokenUri ?? "https://oauth2.googleapis.com/token"
        let form: [(String, String)]
        switch key.type {
        case "service_account":
            guard let email = key.clientEmail, let pem = key.privateKey,
                let assertion = try? assertion(email, pem, key.privateKeyId, endpoint, context.now())
            else { throw unusable("\(file) holds no key of a service account", "download it again") }
            form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)]
        case "authorized_user":
            guard let id = key.clientId, let secret = key.clientSecret, let token = key.refreshToken else {
                throw unusable("\(file) holds no refresh token", "gcloud auth application-default login")
            }
            form = [
                ("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret), ("refresh_token", token),
            ]
        default: throw unusable("\(file) is of type \(key.type)", "use a service account, or a user's login")
        }
        let body = form.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        let response = try await context.http.send(
            HTTPRequest(
                method: "POST",
                url: endpoint,
                headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(body.utf8)
            )
        )
        guard let found = token(in: response, context) else {
            throw unusable(
                "\(FetchError.shown(endpoint)) gives no token for \(file) (\(response.status))",
                "see that the key or login is still valid, and this machine's clock"
            )
        }
        return found
    }

    private static func token(in response: HTTPResponse, _ context: StoreContext) -> (token: String, expires: Date)? {
        guard response.status == 200,
            let found = try? decoder.decode(TokenDocument.self, from: Data(response.body))
        else { return nil }
        return (found.accessToken, context.now().addingTimeInterval(found.expiresIn))
    }

    /// A statement about oneself, signed by the account's key (RS256, RFC 7518).
    private static func assertion(
        _ email: String,
        _ pem: String,
        _ keyID: String?,
        _ audience: String,
        _ now: Date
    ) throws -> String {
        struct Header: Encodable {
            let alg = "RS256"
            let typ = "JWT"
            let kid: String?
        }
        struct Claims: Encodable {
            let iss: String
            let scope: String
            let aud: String
            let iat: Int
            let exp: Int
        }
        let start = Int(now.timeIntervalSince1970)
        let claims = Claims(iss: email, scope: scope, aud: audience, iat: start, exp: start + 3600)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let parts = [try encoder.encode(Header(kid: keyID)), try encoder.encode(claims)].map(base64URL)
        let text = parts.joined(separator: ".")
        let key = try _RSA.Signing.PrivateKey(pemRepresentation: pem)
        let signature = try key.signature(for: Array(text.utf8), padding: .insecurePKCS1v1_5)
        return "\(text).\(base64URL(signature.rawRepresentation))"
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func metadata(_ context: StoreContext) async throws -> (token: String, expires: Date)? {
        let host = context.variable("GCE_METADATA_HOST") ?? "metadata.google.internal"
        let request = HTTPRequest(
            url: "http://\(host)/computeMetadata/v1/instance/service-accounts/default/token",
            headers: [("Metadata-Flavor", "Google")],
            timeouts: Timeouts(connect: .seconds(1), total: .seconds(5), stall: .seconds(5))
        )
        // No such server, no such account: this is no machine of Google's.
        guard let response = try? await context.http.send(request) else { return nil }
        return token(in: response, context)
    }
}
