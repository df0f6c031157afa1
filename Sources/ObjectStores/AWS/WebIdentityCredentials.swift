// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials

/// A role that a signed token opens: EKS' roles for service accounts, and CI systems.
///
/// - Source: AssumeRoleWithWebIdentity of the AWS Security Token Service API Reference.
struct WebIdentityCredentials: CredentialProvider {
    let region: String
    let name = "AWS_WEB_IDENTITY_TOKEN_FILE"

    func find(_ context: StoreContext) async throws -> AWSCredentials? {
        guard let file = context.variable("AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
        guard let role = context.variable("AWS_ROLE_ARN") else {
            throw CredentialFailure("AWS_ROLE_ARN is not set", hint: "set it to the role that the token opens")
        }
        guard let token = (try? Data(contentsOf: URL(filePath: file))).map({ String(decoding: $0, as: UTF8.self) })
        else {
            throw CredentialFailure("\(file) cannot be read", hint: "see that the token is mounted there")
        }
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role),
            ("RoleSessionName", context.variable("AWS_ROLE_SESSION_NAME") ?? "kopslite"),
            ("WebIdentityToken", String(token.filter { !$0.isWhitespace })),
        ].map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        let endpoint =
            context.variable("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL") ?? "https://sts.\(region).amazonaws.com"
        let response = try await context.http.send(
            HTTPRequest(
                method: "POST",
                url: endpoint + "/",
                headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(form.utf8)
            )
        )
        guard response.status == 200,
            let found = XMLElement(parsing: response.body)?.first("Credentials"),
            let key = found["AccessKeyId"], let secret = found["SecretAccessKey"]
        else {
            let code = XMLElement(parsing: response.body)?.first("Code")?.text ?? "no reason"
            throw CredentialFailure(
                "\(endpoint) gives no credentials for \(role): \(response.status) \(code)",
                hint: "see the role's trust policy, and that the token is not over"
            )
        }
        return AWSCredentials(
            accessKey: key,
            secretKey: secret,
            sessionToken: found["SessionToken"],
            expires: found["Expiration"].flatMap(AWSTime.date)
        )
    }
}

/// Times as AWS' services write them.
enum AWSTime {
    /// ISO 8601, with or without fractions of a second.
    static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}
