// SPDX-License-Identifier: Apache-2.0

/// Which keys to read, in the order of their bytes.
///
/// - Source: etcd v3.4 `etcdserverpb/rpc.proto`, `RangeRequest`.
public struct EtcdRange: Sendable, Equatable {
    /// The first key.
    public var key: [UInt8]
    /// The first key that is not meant any more; `nil`: just `key`, `[0]`: to the end.
    public var end: [UInt8]?
    /// How many keys at most; 0: all.
    public var limit: Int64
    /// As they were at this revision; 0: now.
    public var revision: Int64
    /// Whether only their number is wanted.
    public var isCountOnly: Bool
    /// Whether their values stay away.
    public var isKeysOnly: Bool
    /// Whether the member answers by itself, without a quorum, perhaps with what was true a moment ago.
    public var isLocal: Bool

    /// Makes a range from its parts.
    public init(
        key: [UInt8],
        end: [UInt8]? = nil,
        limit: Int64 = 0,
        revision: Int64 = 0,
        isCountOnly: Bool = false,
        isKeysOnly: Bool = false,
        isLocal: Bool = false
    ) {
        self.key = key
        self.end = end
        self.limit = limit
        self.revision = revision
        self.isCountOnly = isCountOnly
        self.isKeysOnly = isKeysOnly
        self.isLocal = isLocal
    }

    /// Every key there is.
    public static let all = EtcdRange(key: [0], end: [0])

    /// The keys that begin with `prefix`; an empty one means all.
    public static func prefix(_ prefix: [UInt8]) -> EtcdRange {
        guard !prefix.isEmpty else { return all }
        return EtcdRange(key: prefix, end: end(ofPrefix: prefix))
    }

    /// The keys that begin with `prefix`; an empty one means all.
    public static func prefix(_ prefix: String) -> EtcdRange { .prefix(Array(prefix.utf8)) }

    /// The first key after all that begin with `prefix`; `[0]`, to the end, where there is none.
    private static func end(ofPrefix prefix: [UInt8]) -> [UInt8] {
        var end = prefix
        while let last = end.popLast() {
            if last < 0xFF { return end + [last + 1] }
        }
        return [0]
    }
}

/// A key with its value.
public struct EtcdKeyValue: Sendable, Equatable {
    /// The key.
    public var key: [UInt8]
    /// The value; empty where only keys were asked for.
    public var value: [UInt8]
    /// The revision that brought the key into being.
    public var createRevision: Int64
    /// The revision that last changed it.
    public var modRevision: Int64
    /// The lease it goes away with; 0: none.
    public var lease: Int64

    /// Makes a pair from its parts.
    public init(key: [UInt8], value: [UInt8], createRevision: Int64, modRevision: Int64, lease: Int64 = 0) {
        self.key = key
        self.value = value
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.lease = lease
    }
}

/// The answer to a range.
public struct EtcdPage: Sendable, Equatable {
    /// What the store's revision was.
    public var revision: Int64
    /// The keys, at most as many as were asked for.
    public var pairs: [EtcdKeyValue]
    /// How many keys the whole range has, whatever the limit.
    public var count: Int64
    /// Whether the limit kept keys back.
    public var hasMore: Bool

    /// Makes an answer from its parts.
    public init(revision: Int64, pairs: [EtcdKeyValue], count: Int64, hasMore: Bool) {
        self.revision = revision
        self.pairs = pairs
        self.count = count
        self.hasMore = hasMore
    }
}
