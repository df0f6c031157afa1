// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS

/// One line of a run's journal, as JSON.
enum JournalEntry: Codable, Equatable {
    /// A run began.
    ///
    /// `list` is the name under which what it creates is remembered.
    case began(at: Date, list: String, pid: Int32, total: Int)
    /// A task is about to change the machine; `creates` is the ownership key of what is absent until then.
    case intended(at: Date, task: String, changes: [String], creates: String?)
    /// An attempt at a task failed, and another was to follow.
    case waited(at: Date, task: String, failure: FailureJSON)
    /// A task that intended something ended as it was to.
    case done(at: Date, task: String)
    /// A task failed.
    case failed(at: Date, task: String, failure: FailureJSON)
    /// The run ended, with its line of totals.
    case finished(at: Date, outcome: String, summary: String)

    /// The entry and a newline.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    /// The entries of a journal; a last line that a loss of power cut off is left out.
    static func parse(_ bytes: [UInt8]) -> [JournalEntry] {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            try? decoder.decode(JournalEntry.self, from: Data(line))
        }
    }
}
