// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

extension AgentStatus {
    /// Reads a report from the store.
    ///
    /// Times may be ISO 8601 or, as an encoder without a strategy writes them, seconds since 2001.
    ///
    /// - Throws: `DecodingError` when the bytes are no report.
    public init(parsing bytes: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            if let seconds = try? container.decode(Double.self) { return Date(timeIntervalSinceReferenceDate: seconds) }
            let text = try container.decode(String.self)
            for style in [Self.timeStyle, Date.ISO8601FormatStyle()] {
                if let time = try? style.parse(text) { return time }
            }
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no ISO 8601 time")
        }
        self = try decoder.decode(AgentStatus.self, from: Data(bytes))
    }

    /// The report as it stands in the store: times in ISO 8601 and UTC, to the millisecond.
    public func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .custom { time, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Self.timeStyle.format(time))
        }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(self))
    }

    private static let timeStyle = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
