// SPDX-License-Identifier: Apache-2.0
public import KopsModel

/// What a machine may do with which objects of a store, and nothing else: the one list behind every policy.
///
/// A role is what permissions can be given to in every cloud; where they can be given to a single machine, `instance` narrows
/// the list to it.
public struct StoreAccess: Sendable, Equatable {
    /// What may be done.
    public enum Verb: String, Sendable, CaseIterable, Comparable {
        case read
        case list
        case write
        case remove

        /// In the order of their declaration.
        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// Objects, and what may be done with them.
    public struct Rule: Sendable, Equatable {
        /// The parts of the objects' keys: a text stands for itself, `*` for one part, `**` at the end for one part or more.
        public let pattern: [String]
        /// What may be done.
        public let verbs: [Verb]
        /// What for.
        public let purpose: String

        /// Whether a key is among the objects.
        public func covers(_ key: StoreKey) -> Bool {
            guard pattern.last != "**" else {
                let fixed = pattern.dropLast()
                return key.parts.count > fixed.count && Self.matches(fixed, key.parts.prefix(fixed.count))
            }
            return key.parts.count == pattern.count && Self.matches(pattern[...], key.parts[...])
        }

        /// Whether everything below a prefix is among the objects.
        public func coversAll(below prefix: StoreKey) -> Bool {
            guard pattern.last == "**" else { return false }
            let fixed = pattern.dropLast()
            return prefix.parts.count >= fixed.count && Self.matches(fixed, prefix.parts.prefix(fixed.count))
        }

        private static func matches(_ pattern: ArraySlice<String>, _ parts: ArraySlice<String>) -> Bool {
            zip(pattern, parts).allSatisfy { $0 == "*" || $0 == $1 }
        }
    }

    /// The rules; what none of them allows is denied.
    public let rules: [Rule]

    /// The access of a role's machines, or of one of them.
    ///
    /// - Parameters:
    ///   - role: What the machines do.
    ///   - layout: The cluster they belong to.
    ///   - group: The machines' instance group; `nil` for all of the role.
    ///   - instance: The one machine; `nil` for all of the role.
    public init(of role: InstanceRole, in layout: ClusterLayout, group: String? = nil, instance: String? = nil) {
        let cluster = layout.clusterName
        func rule(_ verbs: [Verb], _ pattern: String..., for purpose: String) -> Rule {
            Rule(pattern: [cluster] + pattern, verbs: verbs, purpose: purpose)
        }
        let node = group.map { "\($0).json" } ?? "*"
        var rules = [
            rule([.read], "head", for: "which generation is in force"),
            rule([.read], "generations", "*", "manifest.json", for: "what it consists of"),
            rule([.read], "generations", "*", "objects", "nodes", node, for: "what the machine is told"),
            rule([.read], "generations", "*", "objects", "assets.lock.json", for: "what may be downloaded"),
            rule([.write], "status", instance ?? "*", "**", for: "what the machine reports"),
        ]
        switch role {
        case .node:
            rules += [
                rule([.read], "private", "node", "**", for: "how a node joins, and operators' secrets"),
                rule([.read], "discovery", "api.json", for: "where the API servers answer"),
            ]
        case .controlPlane:
            rules += [
                rule([.read], "generations", "*", "objects", "addons", "*", for: "the add-ons"),
                rule([.read], "private", "control-plane", "**", for: "the cluster's keys"),
                rule([.read, .write], "discovery", "api.json", for: "where the API servers answer"),
                rule([.read, .list, .write], "etcd", "**", for: "which data etcd runs on"),
                rule([.remove], "etcd", "*", "backups", "**", for: "backups that need not be kept any longer"),
            ]
        }
        self.rules = rules
    }

    /// Whether something may be done with an object.
    public func allows(_ verb: Verb, _ key: StoreKey) -> Bool {
        rules.contains { $0.verbs.contains(verb) && $0.covers(key) }
    }

    /// Whether everything below a prefix may be listed.
    public func allowsList(_ prefix: StoreKey) -> Bool {
        rules.contains { $0.verbs.contains(.list) && $0.coversAll(below: prefix) }
    }
}
