// SPDX-License-Identifier: Apache-2.0
import StateStore

/// A request to a simulated store, and what it does to the objects.
enum SimulatedRequest: Sendable {
    case read(StoreKey)
    case list(StoreKey)
    case write([UInt8], StoreKey, WriteCondition)
    case remove(StoreKey, WriteCondition)

    /// What a request is answered with.
    enum Answer: Sendable {
        case object(StoredObject?)
        case keys([StoreKey])
        case version(ObjectVersion)
        case done
    }

    /// The request as a trace shows it.
    var text: String {
        switch self {
        case .read(let key): "read \(key)"
        case .list(let key): "list \(key)"
        case .write(_, let key, let condition): "write \(key) \(condition == .always ? "always" : "conditionally")"
        case .remove(let key, _): "remove \(key)"
        }
    }

    /// The object it may change.
    var key: StoreKey? {
        switch self {
        case .read, .list: nil
        case .write(_, let key, _), .remove(let key, _): key
        }
    }

    /// Carries it out.
    func apply(
        to objects: inout [StoreKey: [UInt8]],
        _ negligence: SimulatedStore.Negligence
    ) throws -> Answer {
        switch self {
        case .read(let key):
            return .object(objects[key].map { StoredObject(bytes: $0, version: .digest(of: $0)) })
        case .list(let prefix):
            let below = objects.keys.filter {
                $0.parts.count > prefix.parts.count && $0.parts.starts(with: prefix.parts)
            }
            return .keys(below.sorted())
        case .write(let bytes, let key, let condition):
            try Self.check(condition, key, objects[key], negligence)
            objects[key] = bytes
            return .version(.digest(of: bytes))
        case .remove(let key, let condition):
            if objects[key] != nil { try Self.check(condition, key, objects[key], negligence) }
            objects[key] = nil
            return .done
        }
    }

    private static func check(
        _ condition: WriteCondition,
        _ key: StoreKey,
        _ found: [UInt8]?,
        _ negligence: SimulatedStore.Negligence
    ) throws {
        let version = found.map { ObjectVersion.digest(of: $0) }
        let holds =
            switch condition {
            case .always: true
            case .absent: found == nil || negligence == .ignoresAbsent
            case .version(let expected): expected == version || negligence == .ignoresVersions
            }
        guard !holds else { return }
        let expected: String = if case .version(let version) = condition { version.text } else { "nothing" }
        throw StoreError.conflict(key: key.description, expected: expected, found: version?.text ?? "nothing")
    }
}
