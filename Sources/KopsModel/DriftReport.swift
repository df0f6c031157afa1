// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// Where a machine differs from what it was last told to be; only that machine writes it.
///
/// - Shape: JSON at `status/<instance>/drift.json`, replaced as a whole at every look; ``countLimit`` differences and
///   ``sizeLimit`` bytes at most.
public struct DriftReport: Codable, Sendable, Equatable {
    /// The machine's name.
    public var instance: String
    /// The instance group's name.
    public var instanceGroup: String
    /// What the machine does in the cluster.
    public var role: InstanceRole
    /// The generation the machine was compared with.
    public var generation: Int
    /// When the machine looked, to the second.
    public var checked: Date
    /// How many tasks it compared.
    public var total: Int
    /// The SHA-256 of all differences and of nothing else, 64 hex digits: equal drift gives an equal digest.
    public var digest: String
    /// How many tasks differ, listed or not.
    public var differenceCount: Int
    /// Whether fewer differences are listed than there are.
    public var truncated: Bool
    /// The tasks that differ, by name.
    public var differences: [Difference]
    /// How many of the tasks could not be compared.
    public var failures: Int

    /// One task that is not as declared.
    public struct Difference: Codable, Sendable, Equatable {
        /// The task's name, such as `file:/etc/crictl.yaml`.
        public var id: String
        /// What a run would do.
        public var action: Action
        /// The lines a plan prints, without secrets.
        public var changes: [String]
        /// Why the task could not be compared; `nil` unless the action is ``Action/fail``.
        public var failure: AgentFailure?

        /// Makes a difference from its parts.
        public init(id: String, action: Action, changes: [String], failure: AgentFailure? = nil) {
            self.id = id
            self.action = action
            self.changes = changes
            self.failure = failure
        }
    }

    /// What a run would do to a task's object.
    public enum Action: String, Codable, Sendable {
        case create
        case change
        case remove
        /// Nothing: only a person can decide.
        case fail
    }

    /// Makes a report of all differences, in any order.
    public init(
        instance: String,
        instanceGroup: String,
        role: InstanceRole,
        generation: Int,
        checked: Date,
        total: Int,
        digest: String,
        differences: [Difference]
    ) {
        self.instance = instance
        self.instanceGroup = instanceGroup
        self.role = role
        self.generation = generation
        self.checked = Date(timeIntervalSince1970: checked.timeIntervalSince1970.rounded(.down))
        self.total = total
        self.digest = digest
        self.differenceCount = differences.count
        self.truncated = false
        self.differences = differences.sorted { $0.id < $1.id }
        self.failures = differences.count { $0.action == .fail }
    }

    /// Whether the machine is what it was told to be.
    public var isAsDeclared: Bool { differenceCount == 0 }
}

extension DriftReport {
    /// More differences than these are not listed.
    public static let countLimit = 200
    /// A report is never longer, in bytes.
    public static let sizeLimit = 64 << 10

    /// Reads a report from the store.
    ///
    /// - Throws: `DecodingError` when the bytes are no report.
    public init(parsing bytes: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        self = try decoder.decode(DriftReport.self, from: Data(bytes))
    }

    /// The report as it stands in the store, cut to its limits; the time is in UTC (RFC 3339).
    ///
    /// - Throws: `EncodingError`, which no report is known to cause.
    public func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var short = self
        short.differences = []
        // What the rest takes, with the longer of the two words that `truncated` can be.
        var size = try encoder.encode(short).count + 1
        for difference in differences.prefix(Self.countLimit) {
            size += try encoder.encode(difference).count + 1
            guard size <= Self.sizeLimit else { break }
            short.differences.append(difference)
        }
        short.truncated = short.differences.count < differenceCount
        return try [UInt8](encoder.encode(short))
    }
}
