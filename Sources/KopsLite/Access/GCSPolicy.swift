// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore

/// An access as conditional bindings of Google Cloud's Identity and Access Management, a binding for each verb.
///
/// - Source: "IAM Conditions for Cloud Storage"; `resource.name` of an object is
///   `projects/_/buckets/BUCKET/objects/NAME`.
struct GCSPolicy {
    let access: StoreAccess
    let location: BucketLocation

    /// The bindings, without members: whoever applies them names the machines' service account.
    var document: JSONValue {
        let bindings = StoreAccess.Verb.allCases.compactMap { verb -> JSONValue? in
            let rules = access.rules.filter { $0.verbs.contains(verb) }
            guard !rules.isEmpty else { return nil }
            return [
                "role": .string(role(verb)), "members": [],
                "condition": [
                    "title": .string("kopslite-\(verb.rawValue)"),
                    "expression": .string(rules.map { expression(verb, $0) }.joined(separator: " || ")),
                ],
            ]
        }
        return ["bindings": .array(bindings)]
    }

    private func role(_ verb: StoreAccess.Verb) -> String {
        switch verb {
        case .read: "roles/storage.objectViewer"
        case .list: "roles/storage.legacyBucketReader"
        // Overwriting is removing there, so no role writes without it.
        case .write, .remove: "roles/storage.objectUser"
        }
    }

    /// Listing is a permission on the bucket, whose condition sees the prefix that is asked for.
    private func expression(_ verb: StoreAccess.Verb, _ rule: StoreAccess.Rule) -> String {
        let path = location.path(rule)
        if verb == .list {
            let prefix = path.prefix { $0 != "*" }
            return "api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('\(prefix)')"
        }
        let name = "projects/_/buckets/\(location.bucket)/objects/"
        guard path.contains("*") else { return "resource.name == '\(name)\(path)'" }
        // `*` stands for one part, at the end for any number of them.
        let pieces = path.split(separator: "/").map { $0 == "*" ? "[^/]+" : $0.replacing(".", with: "[.]") }
        let open = rule.pattern.last == "**"
        let pattern = (open ? pieces.dropLast() + [".+"] : pieces[...]).joined(separator: "/")
        return "resource.name.matches('^\(name)\(pattern)$')"
    }
}
