// SPDX-License-Identifier: Apache-2.0

/// How far a migration is, for whoever waits for it.
public enum MigrationProgress: Sendable, Equatable, CustomStringConvertible {
    /// So many keys of version 2 were compared; so many copies are missing or differ, and so many are too many.
    case compared(Int, Int, Int)
    /// So many copies are to be taken away.
    case undoing(Int)

    /// One line for a person.
    public var description: String {
        switch self {
        case .compared(let keys, 0, 0): "compared \(keys) keys: every one is copied"
        case .compared(let keys, let missing, 0): "compared \(keys) keys: \(missing) to be copied"
        case .compared(let keys, let missing, let surplus):
            "compared \(keys) keys: \(missing) to be copied, \(surplus) copies to be taken away"
        case .undoing(0): "no copy is left"
        case .undoing(let copies): "\(copies) copies to be taken away"
        }
    }
}
