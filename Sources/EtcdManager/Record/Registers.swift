// SPDX-License-Identifier: Apache-2.0

/// Small values that several machines share and change by compare-and-swap.
public protocol Registers: Sendable {
    /// What a slot holds; `nil` when it is certain that it holds nothing.
    ///
    /// - Throws: ``RegisterError/unavailable(reason:)``, ``RegisterError/damaged(path:version:)``.
    func read<Value>(_ slot: Slot<Value>) async throws -> Held<Value>?
    /// Changes a slot that still holds what it held, or with `nil` one that holds nothing.
    ///
    /// - Throws: ``RegisterError``; after `.unavailable` the change may have been made all the same.
    func write<Value>(_ value: Value, to slot: Slot<Value>, replacing version: SlotVersion?) async throws
}

/// A place for one kind of value.
public struct Slot<Value: Codable & Sendable & Equatable>: Sendable, Hashable {
    /// Below the etcd cluster's place in the store, such as `identity.json`.
    public let path: String

    init(_ path: String) { self.path = path }
}

extension Slot where Value == ClusterRecord {
    /// What is agreed of the etcd cluster.
    public static var record: Slot { Slot("identity.json") }
}

extension Slot where Value == LeaderLease {
    /// Who decides.
    public static var lease: Slot { Slot("lease.json") }
}

extension Slot where Value == VolumeClaims {
    /// Which machine has which volume.
    public static var claims: Slot { Slot("claims.json") }
}

extension Slot where Value == OperatorCommand {
    /// What an operator wants done.
    public static var command: Slot { Slot("command.json") }
}

extension Slot where Value == MemberReport {
    /// What is said of a member.
    public static func report(of member: String) -> Slot { Slot("reports/\(member).json") }
}

/// Names one state of a slot; opaque.
public struct SlotVersion: Sendable, Hashable {
    /// The store's own text.
    public let text: String

    /// Makes a version from the store's text.
    public init(_ text: String) { self.text = text }
}

/// What a slot holds.
public struct Held<Value: Sendable & Equatable>: Sendable, Equatable {
    /// The value.
    public let value: Value
    /// Which state of the slot this is.
    public let version: SlotVersion

    /// Makes what a slot holds.
    public init(_ value: Value, version: SlotVersion) {
        self.value = value
        self.version = version
    }
}

/// What can go wrong with a slot.
public enum RegisterError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Somebody else has changed it.
    case conflict(path: String)
    /// The store cannot be used now.
    case unavailable(reason: String)
    /// What it holds cannot be understood; it may be replaced by its owner.
    case damaged(path: String, version: SlotVersion)

    /// One line for a person.
    public var description: String {
        switch self {
        case .conflict(let path): "\(path) was changed by another machine"
        case .unavailable(let reason): "the store cannot be used: \(reason)"
        case .damaged(let path, _): "\(path) cannot be understood"
        }
    }
}
