// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

extension AgentStatus {
    /// The report as the store keeps it: names sorted, instants as seconds since 1970, with their fractions.
    public func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .secondsSince1970
        return try [UInt8](encoder.encode(self))
    }

    /// Reads a report back.
    ///
    /// - Throws: `DecodingError` when the bytes are no report.
    public init(decoding bytes: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        self = try decoder.decode(AgentStatus.self, from: Data(bytes))
    }
}
