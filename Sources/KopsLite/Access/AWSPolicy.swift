// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore

/// An access as a policy of AWS' Identity and Access Management.
///
/// - Source: "Actions, resources, and condition keys for Amazon S3" of the Service Authorization Reference.
struct AWSPolicy {
    let access: StoreAccess
    let location: BucketLocation

    /// The policy document.
    var document: JSONValue {
        var statements: [JSONValue] = []
        for verb in StoreAccess.Verb.allCases {
            let rules = access.rules.filter { $0.verbs.contains(verb) }
            guard !rules.isEmpty else { continue }
            statements.append(verb == .list ? list(rules) : objects(verb, rules))
        }
        return ["Version": "2012-10-17", "Statement": .array(statements)]
    }

    private func objects(_ verb: StoreAccess.Verb, _ rules: [StoreAccess.Rule]) -> JSONValue {
        [
            "Effect": "Allow", "Action": [.string(action(verb))],
            "Resource": .array(rules.map { .string("\(arn)/\(location.path($0))") }),
        ]
    }

    private func action(_ verb: StoreAccess.Verb) -> String {
        switch verb {
        case .read: "s3:GetObject"
        case .list: "s3:ListBucket"
        case .write: "s3:PutObject"
        case .remove: "s3:DeleteObject"
        }
    }

    private func list(_ rules: [StoreAccess.Rule]) -> JSONValue {
        [
            "Effect": "Allow", "Action": [.string(action(.list))], "Resource": [.string(arn)],
            "Condition": ["StringLike": ["s3:prefix": .array(rules.map { .string(location.path($0)) })]],
        ]
    }

    private var arn: String { "arn:aws:s3:::\(location.bucket)" }
}
