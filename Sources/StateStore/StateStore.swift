// SPDX-License-Identifier: Apache-2.0

/// Named bytes with versions and conditional writes: the one thing every backend offers.
public protocol StateStore: Sendable {
    /// The store's URL without a trailing slash, for messages.
    var url: String { get }
    /// An object's bytes and version; `nil` when there is no such object.
    func read(_ key: StoreKey) async throws -> StoredObject?
    /// The keys below a prefix, sorted, at any depth.
    func list(_ prefix: StoreKey) async throws -> [StoreKey]
    /// Writes an object when the condition holds, atomically.
    ///
    /// - Returns: The new version.
    /// - Throws: ``StoreError/conflict(key:expected:found:)`` when it does not hold; nothing is written then.
    @discardableResult
    func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion
    /// Removes an object when the condition holds; nothing there is no error.
    func remove(_ key: StoreKey, when condition: WriteCondition) async throws
}

/// An object's name inside a store: relative, `/`-separated, without `.`, `..` or empty parts.
public struct StoreKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The parts between slashes.
    public let parts: [String]

    /// Checks and makes a key.
    ///
    /// - Throws: ``StoreError/badKey(_:)`` when a part is empty, `.`, `..`, or holds NUL or a slash.
    public init(parts: [String]) throws(StoreError) {
        for part in parts
        where part.isEmpty || part == "." || part == ".." || part.contains(where: { "/\0".contains($0) }) {
            throw .badKey(parts.joined(separator: "/"))
        }
        self.parts = parts
    }

    /// Checks and makes a key from its text.
    public init(_ text: String) throws(StoreError) {
        try self.init(parts: text.split(separator: "/", omittingEmptySubsequences: false).map(String.init))
    }

    /// The key as text.
    public var description: String { parts.joined(separator: "/") }
    /// By text.
    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}

/// Names one state of an object; equal versions mean equal bytes.
///
/// Opaque: a digest, an ETag, a generation number.
public struct ObjectVersion: Hashable, Sendable, CustomStringConvertible {
    /// The backend's own text.
    public let text: String

    /// Makes a version from a backend's text.
    public init(_ text: String) { self.text = text }
    /// The backend's own text.
    public var description: String { text }
}

/// What a store holds under a key.
public struct StoredObject: Sendable, Equatable {
    /// The object's bytes.
    public let bytes: [UInt8]
    /// The version of these bytes.
    public let version: ObjectVersion

    /// Makes an object from its parts.
    public init(bytes: [UInt8], version: ObjectVersion) {
        self.bytes = bytes
        self.version = version
    }
}

/// When a write may happen.
public enum WriteCondition: Sendable, Equatable {
    /// Only the key's one writer uses this: status reports and leases.
    case always
    /// The key must be free.
    case absent
    /// The key must hold this version.
    case version(ObjectVersion)
}

/// What can go wrong with a store.
public enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A key that would leave the store or could not be written everywhere.
    case badKey(String)
    /// Somebody else wrote in between.
    case conflict(key: String, expected: String, found: String)
    /// The store, or something in it, cannot be reached or read now; trying again may help.
    case unavailable(url: String, reason: String)
    /// The store says no, and will say so again until somebody changes a permission or a setting.
    case refused(StoreRefusal)
    /// A URL that no backend serves.
    case badURL(String, reason: String)
    /// An object that is there but cannot be what it should be.
    case corrupt(key: String, reason: String)

    /// A stable identifier in kebab case.
    public var code: String {
        switch self {
        case .badKey: "store-key-invalid"
        case .conflict: "store-conflict"
        case .unavailable: "store-unreadable"
        case .refused(let refusal): refusal.code
        case .badURL: "store-url-invalid"
        case .corrupt: "store-object-damaged"
        }
    }

    /// The remedy, where it is known.
    public var hint: String? {
        switch self {
        case .conflict: "look at what is there now, and run the command again"
        case .refused(let refusal): refusal.hint
        case .unavailable: "check that the store is there and that this machine reaches it"
        case .badKey, .badURL, .corrupt: nil
        }
    }

    /// One line for a person, without the remedy.
    public var description: String {
        switch self {
        case .badKey(let key): "store key \"\(key)\" has an empty, `.`, `..` or unprintable part"
        case .conflict(let key, let expected, let found):
            "\(key) was changed by somebody else: expected \(expected), found \(found)"
        case .unavailable(let url, let reason): "state store \(url) cannot be used: \(reason)"
        case .refused(let refusal): "state store \(refusal.url): \(refusal.reason)"
        case .badURL(let url, let reason): "state store URL \"\(url)\" \(reason)"
        case .corrupt(let key, let reason): "\(key) in the state store is damaged: \(reason)"
        }
    }
}

/// A no that stays: a permission or a setting is missing.
public struct StoreRefusal: Error, Sendable, Equatable {
    /// A stable identifier in kebab case, such as `bucket-missing`, `bucket-elsewhere`, `store-denied`, `clock-skewed`,
    /// `store-read-only`, `object-too-large`, `credentials-missing`, `credentials-expired`, `store-unconditional`.
    public var code: String
    /// The store's URL, without user, password and query.
    public var url: String
    /// What was attempted, on what, and why it was refused.
    public var reason: String
    /// Which permission or setting is missing, and how to give it.
    public var hint: String

    /// Makes a refusal from its parts.
    public init(code: String, url: String, reason: String, hint: String) {
        self.code = code
        self.url = url
        self.reason = reason
        self.hint = hint
    }
}
