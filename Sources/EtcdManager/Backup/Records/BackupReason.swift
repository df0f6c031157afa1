// SPDX-License-Identifier: Apache-2.0

/// Why a backup was taken.
///
/// - Shape: `scheduled`, `asked: <request>`, or `before: <step>`.
public enum BackupReason: Sendable, Hashable, CustomStringConvertible {
    /// It was time.
    case scheduled
    /// An operator wanted one, by the request of that number.
    case asked(Int)
    /// A step that changes the cluster was about to begin.
    case before(String)

    /// The reason as a record and a person read it.
    public var description: String {
        switch self {
        case .scheduled: "scheduled"
        case .asked(let request): "asked: \(request)"
        case .before(let step): "before: \(step)"
        }
    }

    /// Reads a reason; `nil` for a text that is none.
    public init?(_ text: String) {
        switch text {
        case "scheduled": self = .scheduled
        case _ where text.hasPrefix("asked: "):
            guard let request = Int(text.dropFirst("asked: ".count)), "asked: \(request)" == text else { return nil }
            self = .asked(request)
        case _ where text.hasPrefix("before: "): self = .before(String(text.dropFirst("before: ".count)))
        default: return nil
        }
    }
}

extension BackupReason: Codable {
    /// Reads a reason's text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let reason = BackupReason(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no backup's reason")
        }
        self = reason
    }

    /// Writes the reason's text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
