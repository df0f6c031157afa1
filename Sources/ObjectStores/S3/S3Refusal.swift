// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import StateStore

/// What an answer that is no success means: which permission or setting is missing, or that it may pass.
///
/// - Source: "Error responses" of the Amazon S3 API Reference.
struct S3Refusal {
    private let answer: S3Client.Answer
    private let call: S3Client.Call
    private let location: S3Location
    private let isConditional: Bool

    init(_ answer: S3Client.Answer, _ call: S3Client.Call, _ location: S3Location, isConditional: Bool) {
        self.answer = answer
        self.call = call
        self.location = location
        self.isConditional = isConditional
    }

    private static let passing: Set = [
        "InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout", "OperationAborted", "503 SlowDown", "Busy",
    ]

    /// Another try, or the error.
    ///
    /// - Throws: ``StoreError/refused(_:)``.
    func outcome<Value: Sendable>() throws -> Retries.Outcome<Value> {
        let status = answer.response.status
        if isConditional, status == 501 || answer.code == "NotImplemented" { throw StoreError.refused(unconditional) }
        if status >= 500 || status == 429 || Self.passing.contains(answer.code ?? "") {
            let asked = answer.header("retry-after").flatMap { UInt32($0) }.map { Duration.seconds(Int64($0)) }
            return .passing(.unavailable(url: location.shown, reason: said), after: asked)
        }
        throw StoreError.refused(refusal)
    }

    private var unconditional: StoreRefusal {
        make(
            "store-unconditional",
            "its server knows no conditional writes: \(said)",
            "use a store that has them (S3, GCS, Ceph, MinIO in a recent release): without them two operators can overwrite"
                + " each other"
        )
    }

    private var refusal: StoreRefusal {
        switch answer.code ?? "" {
        case "NoSuchBucket":
            make("bucket-missing", "there is no bucket \(location.bucket)", "create it, or correct the store's URL")
        case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException":
            elsewhere
        case "RequestTimeTooSkewed": skewed
        case "AccessControlListNotSupported":
            make(
                "acl-disabled",
                "bucket \(location.bucket) takes no access control lists, and one is asked for: \(location.acl ?? "")",
                "unset KOPS_STATE_S3_ACL and take acl= out of the store's URL"
            )
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "InvalidToken":
            make("credentials-refused", said, "correct the access key and its secret")
        case "ExpiredToken", "TokenRefreshRequired":
            make("credentials-expired", said, "log in again; on a machine, see that its clock is right")
        case let code where code.hasPrefix("KMS."):
            make("kms-denied", said, "give this identity kms:Decrypt and kms:GenerateDataKey of the bucket's key")
        default: unnamed
        }
    }

    private var unnamed: StoreRefusal {
        if answer.response.status == 403 {
            return make("store-denied", said, "allow \(permission) to whoever uses these credentials")
        }
        // HEAD and some proxies answer without a document.
        if [301, 307].contains(answer.response.status) { return elsewhere }
        return make("store-refused", said, "see the server's log; the request was \(call.method) \(shownKey)")
    }

    private var elsewhere: StoreRefusal {
        let region = answer.header("x-amz-bucket-region")
        return make(
            "bucket-elsewhere",
            "bucket \(location.bucket) is not in region \(location.region ?? "us-east-1")"
                + (region.map { " but in \($0)" } ?? ": \(said)"),
            "set region=\(region ?? "…") in the store's URL, or AWS_REGION"
        )
    }

    private var skewed: StoreRefusal {
        let server = answer.serverTime.flatMap { try? Date($0, strategy: .iso8601) }
        let difference = server.map { " (the server's is \($0.formatted(.iso8601)))" } ?? ""
        return make(
            "clock-skewed",
            "this machine's clock is too far from the server's\(difference)",
            "synchronize it: timedatectl set-ntp true"
        )
    }

    /// The permission that the request needs, as AWS names it.
    private var permission: String {
        let object = "arn:aws:s3:::\(location.bucket)/\(call.key)"
        switch call.method {
        case "GET" where call.key.isEmpty:
            let prefix = call.query.first { $0.name == "prefix" }?.value ?? ""
            return "s3:ListBucket on arn:aws:s3:::\(location.bucket)" + (prefix.isEmpty ? "" : " for prefix \(prefix)")
        case "GET", "HEAD":
            return "s3:GetObject on \(object) (and s3:ListBucket, to tell a missing object from a denied one)"
        case "PUT": return "s3:PutObject on \(object)"
        default: return "s3:DeleteObject on \(object)"
        }
    }

    private var shownKey: String { call.key.isEmpty ? location.bucket : call.key }

    private var said: String {
        let words = [answer.code, answer.message].compactMap(\.self).joined(separator: ": ")
        return "\(call.method) \(shownKey) was answered with \(answer.response.status)"
            + (words.isEmpty ? "" : " (\(words))")
    }

    private func make(_ code: String, _ reason: String, _ hint: String) -> StoreRefusal {
        StoreRefusal(code: code, url: location.shown, reason: reason, hint: hint)
    }
}
