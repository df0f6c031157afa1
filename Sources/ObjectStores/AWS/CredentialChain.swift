// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import StateStore

/// The credentials of this process, from the first place that has some; kept until shortly before they end.
///
/// - Source: "Standardized credential providers" of the AWS SDKs and Tools Reference Guide, whose order this is; kops' own
///   variables and this project's file stand where they cannot be mistaken for others'.
actor CredentialChain {
    private let context: StoreContext
    private var cached: AWSCredentials?
    private var refresh: Task<AWSCredentials, any Error>?

    /// How long before their end credentials are renewed.
    private static let margin: TimeInterval = 300

    init(_ context: StoreContext) { self.context = context }

    /// Credentials that are valid now; all who ask meanwhile wait for one renewal.
    ///
    /// - Throws: ``StoreError/refused(_:)`` `credentials-missing` with what was tried.
    func current(for store: String, region: String) async throws -> AWSCredentials {
        if let cached, !isEnding(cached) { return cached }
        if let refresh { return try await refresh.value }
        let context = context
        let task = Task { try await Self.find(context, store: store, region: region) }
        refresh = task
        defer { refresh = nil }
        let found = try await task.value
        cached = found
        return found
    }

    private func isEnding(_ credentials: AWSCredentials) -> Bool {
        guard let expires = credentials.expires else { return false }
        return context.now().addingTimeInterval(Self.margin) >= expires
    }

    private static func find(_ context: StoreContext, store: String, region: String) async throws -> AWSCredentials {
        let providers: [any CredentialProvider] = [
            EnvironmentCredentials(), CredentialFiles(), WebIdentityCredentials(region: region), ContainerCredentials(),
            InstanceCredentials(),
        ]
        var tried: [String] = []
        for provider in providers {
            do {
                if let found = try await provider.find(context) { return found }
                tried.append(provider.name)
            } catch let error as CredentialFailure {
                // What is configured and does not work is no reason to use somebody else's credentials.
                throw StoreError.refused(
                    StoreRefusal(
                        code: "credentials-unusable",
                        url: store,
                        reason: "\(provider.name): \(error.reason)",
                        hint: error.hint
                    )
                )
            }
        }
        throw StoreError.refused(
            StoreRefusal(
                code: "credentials-missing",
                url: store,
                reason: "no credentials were found in: \(tried.joined(separator: "; "))",
                hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
            )
        )
    }
}

/// A place where credentials may be.
protocol CredentialProvider: Sendable {
    /// What messages call it.
    var name: String { get }
    /// The credentials; `nil` when the place is not in use.
    ///
    /// - Throws: ``CredentialFailure`` when it is in use and has none.
    func find(_ context: StoreContext) async throws -> AWSCredentials?
}

/// Why a place that should have credentials has none.
struct CredentialFailure: Error, Equatable {
    let reason: String
    let hint: String

    init(_ reason: String, hint: String) {
        self.reason = reason
        self.hint = hint
    }
}

/// The variables of AWS, and those of kops for other S3 services.
struct EnvironmentCredentials: CredentialProvider {
    let name = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

    func find(_ context: StoreContext) -> AWSCredentials? {
        if let key = context.variable("AWS_ACCESS_KEY_ID"), let secret = context.variable("AWS_SECRET_ACCESS_KEY") {
            return AWSCredentials(
                accessKey: key,
                secretKey: secret,
                sessionToken: context.variable("AWS_SESSION_TOKEN")
            )
        }
        guard let key = context.variable("S3_ACCESS_KEY_ID"), let secret = context.variable("S3_SECRET_ACCESS_KEY")
        else {
            return nil
        }
        return AWSCredentials(accessKey: key, secretKey: secret)
    }
}
