// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// Files with sections of `name = value` lines: this project's own on machines, and the shared ones of AWS' tools.
///
/// - Source: "Shared config and credentials files" of the AWS SDKs and Tools Reference Guide.
struct CredentialFiles: CredentialProvider {
    /// Where a machine has its own, when its cloud has no metadata service.
    static let machine = "/etc/kopslite/credentials"

    var name: String { "\(Self.machine), ~/.aws/credentials, ~/.aws/config" }

    func find(_ context: StoreContext) throws -> AWSCredentials? {
        let profile = context.variable("AWS_PROFILE", "AWS_DEFAULT_PROFILE") ?? "default"
        let home = context.variable("HOME") ?? "/root"
        let places = [
            (context.variable("KOPSLITE_CREDENTIALS") ?? Self.machine, "default"),
            (context.variable("AWS_SHARED_CREDENTIALS_FILE") ?? "\(home)/.aws/credentials", profile),
            (
                context.variable("AWS_CONFIG_FILE") ?? "\(home)/.aws/config",
                profile == "default" ? profile : "profile \(profile)"
            ),
        ]
        for (file, section) in places {
            guard let data = try? Data(contentsOf: URL(filePath: file)) else { continue }
            let values = Self.section(section, of: String(decoding: data, as: UTF8.self))
            guard let key = values["aws_access_key_id"] else { continue }
            guard let secret = values["aws_secret_access_key"] else {
                throw CredentialFailure(
                    "\(file) has an aws_access_key_id without aws_secret_access_key in [\(section)]",
                    hint: "add the secret there"
                )
            }
            return AWSCredentials(accessKey: key, secretKey: secret, sessionToken: values["aws_session_token"])
        }
        guard context.variable("AWS_PROFILE") == nil else {
            throw CredentialFailure(
                "profile \(profile) has no aws_access_key_id in any of these files",
                hint: "correct AWS_PROFILE; profiles of single sign-on are not read here: export their keys"
                    + " (aws configure export-credentials)"
            )
        }
        return nil
    }

    /// The values of a section; names in lower case.
    static func section(_ wanted: String, of text: String) -> [String: String] {
        var values: [String: String] = [:]
        var isInside = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = Self.trimmed(line)
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("[") {
                isInside = Self.trimmed(line.dropFirst().prefix { $0 != "]" }) == wanted
            } else if isInside, let equals = line.firstIndex(of: "=") {
                values[Self.trimmed(line[..<equals]).lowercased()] = Self.trimmed(line[line.index(after: equals)...])
            }
        }
        return values
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    private static func trimmed(_ text: String) -> String { trimmed(text[...]) }
}
