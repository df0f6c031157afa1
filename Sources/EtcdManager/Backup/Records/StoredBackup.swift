// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// A backup as the store lists it, whole or damaged.
public struct StoredBackup: Sendable, Equatable {
    /// How far a backup can be trusted.
    public enum Standing: Int, Sendable, Comparable {
        /// It could not be brought back.
        case failed
        /// Nobody has tried.
        case unproven
        /// It was brought back.
        case proven

        /// The worse first.
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// What it is called.
    public var name: BackupName
    /// What is known of it; `nil` when its record cannot be read.
    public var record: BackupRecord?
    /// What is wrong with its record.
    public var damage: BackupDamage?
    /// The last proof of the record as it is; a proof of other bytes does not count.
    public var proof: BackupProof?

    /// Makes one from its parts.
    public init(name: BackupName, record: BackupRecord?, damage: BackupDamage? = nil, proof: BackupProof? = nil) {
        self.name = name
        self.record = record
        self.damage = damage
        self.proof = proof
    }

    /// How far it can be trusted.
    public var standing: Standing {
        if damage != nil { return .failed }
        guard let proof else { return .unproven }
        return proof.isGood ? .proven : .failed
    }

    /// When it was last tried to bring it back.
    public var tried: Date? { proof.flatMap { try? Date($0.tried, strategy: .iso8601) } }
}
