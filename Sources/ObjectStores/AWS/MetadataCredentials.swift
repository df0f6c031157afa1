// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials

/// Credentials as the metadata services of containers and machines give them.
private struct MetadataDocument: Decodable {
    let accessKeyId: String
    let secretAccessKey: String
    let token: String?
    let expiration: String?

    enum CodingKeys: String, CodingKey {
        case accessKeyId = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case expiration = "Expiration"
    }

    static func credentials(in response: HTTPResponse) -> AWSCredentials? {
        guard response.status == 200, let found = try? JSONDecoder().decode(Self.self, from: Data(response.body)) else {
            return nil
        }
        return AWSCredentials(
            accessKey: found.accessKeyId,
            secretKey: found.secretAccessKey,
            sessionToken: found.token,
            expires: found.expiration.flatMap(AWSTime.date)
        )
    }
}

/// Limits that suit a service on the same machine.
private let nearby = Timeouts(connect: .seconds(1), total: .seconds(5), stall: .seconds(5))

/// The task or pod's role: ECS, and EKS' Pod Identity.
///
/// - Source: "Container credential provider" of the AWS SDKs and Tools Reference Guide.
struct ContainerCredentials: CredentialProvider {
    let name = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI"

    func find(_ context: StoreContext) async throws -> AWSCredentials? {
        let url: String
        if let path = context.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            url = "http://169.254.170.2\(path)"
        } else if let full = context.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            guard Self.isTrusted(full) else {
                throw CredentialFailure(
                    "\(FetchError.shown(full)) is neither https nor an address of this machine's own services",
                    hint: "correct AWS_CONTAINER_CREDENTIALS_FULL_URI"
                )
            }
            url = full
        } else {
            return nil
        }
        var headers: [(name: String, value: String)] = []
        if let token = try token(context) { headers.append(("Authorization", token)) }
        let response = try await context.http.send(HTTPRequest(url: url, headers: headers, timeouts: nearby))
        guard let found = MetadataDocument.credentials(in: response) else {
            throw CredentialFailure(
                "\(FetchError.shown(url)) answered with \(response.status) and no credentials",
                hint: "see that the task or pod has a role"
            )
        }
        return found
    }

    private func token(_ context: StoreContext) throws -> String? {
        guard let file = context.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
            return context.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        }
        guard let data = try? Data(contentsOf: URL(filePath: file)) else {
            throw CredentialFailure("\(file) cannot be read", hint: "see that the token is mounted there")
        }
        return String(decoding: data, as: UTF8.self).filter { !$0.isNewline }
    }

    /// A token must not go to an address that somebody else could answer at.
    static func isTrusted(_ url: String) -> Bool {
        if url.hasPrefix("https://") { return true }
        guard url.hasPrefix("http://") else { return false }
        let rest = url.dropFirst("http://".count)
        let host = rest.hasPrefix("[") ? rest.prefix { $0 != "]" } + "]" : rest.prefix { !":/?#".contains($0) }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        let isLoopback = octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
        return isLoopback || ["localhost", "169.254.170.2", "169.254.170.23", "[::1]", "[fd00:ec2::23]"].contains(host)
    }
}

/// The machine's role, from the instance metadata service, version 2 only: its tokens keep proxies and redirects out.
///
/// - Source: "Use IMDS" of the Amazon EC2 User Guide.
struct InstanceCredentials: CredentialProvider {
    let name = "the instance metadata service"

    func find(_ context: StoreContext) async throws -> AWSCredentials? {
        guard context.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
        let base = context.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
        let endpoint = base.hasSuffix("/") ? String(base.dropLast()) : base
        let asked = HTTPRequest(
            method: "PUT",
            url: endpoint + "/latest/api/token",
            headers: [("X-aws-ec2-metadata-token-ttl-seconds", "21600")],
            timeouts: nearby
        )
        // No such service, no such role: this is no machine of AWS'.
        guard let token = try? await context.http.send(asked), token.status == 200 else { return nil }
        let headers = [(name: "X-aws-ec2-metadata-token", value: String(decoding: token.body, as: UTF8.self))]
        let roles = "\(endpoint)/latest/meta-data/iam/security-credentials/"
        let list = try await context.http.send(HTTPRequest(url: roles, headers: headers, timeouts: nearby))
        let role = String(decoding: list.body, as: UTF8.self).prefix { !$0.isNewline }
        guard list.status == 200, !role.isEmpty else {
            throw CredentialFailure("this machine has no role", hint: "give it an instance profile")
        }
        let response = try await context.http.send(HTTPRequest(url: roles + role, headers: headers, timeouts: nearby))
        guard let found = MetadataDocument.credentials(in: response) else {
            throw CredentialFailure(
                "role \(role) has no credentials yet (\(response.status))",
                hint: "see the instance profile's role and its trust policy"
            )
        }
        return found
    }
}
