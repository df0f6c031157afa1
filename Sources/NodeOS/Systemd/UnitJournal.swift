// SPDX-License-Identifier: Apache-2.0
import CSystemd

/// A unit's log, read with sd-journal(3).
enum UnitJournal {
    /// The last lines of a unit's log in this boot, oldest first, each at most 200 characters; empty when it cannot be read.
    static func tail(of unit: String, lines: Int) -> [String] {
        var journal: OpaquePointer?
        guard sd_journal_open(&journal, Int32(SD_JOURNAL_LOCAL_ONLY)) >= 0, let journal else { return [] }
        defer { sd_journal_close(journal) }
        let match = "_SYSTEMD_UNIT=\(unit)"
        guard sd_journal_add_match(journal, match, match.utf8.count) >= 0, addThisBoot(journal),
            sd_journal_seek_tail(journal) >= 0
        else { return [] }
        var found: [String] = []
        while found.count < lines, sd_journal_previous(journal) > 0 {
            if let line = message(journal) { found.append(line) }
        }
        return found.reversed()
    }

    private static func addThisBoot(_ journal: OpaquePointer) -> Bool {
        var boot = sd_id128_t()
        guard sd_id128_get_boot(&boot) >= 0 else { return false }
        var text = [CChar](repeating: 0, count: 33)
        guard sd_id128_to_string(boot, &text) != nil else { return false }
        let match = "_BOOT_ID=" + String(decoding: text.prefix(32).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return sd_journal_add_match(journal, match, match.utf8.count) >= 0
    }

    private static func message(_ journal: OpaquePointer) -> String? {
        var data: UnsafeRawPointer?
        var length = 0
        guard sd_journal_get_data(journal, "MESSAGE", &data, &length) >= 0, let data else { return nil }
        let field = String(decoding: UnsafeRawBufferPointer(start: data, count: length), as: UTF8.self)
        let text = field.dropFirst("MESSAGE=".count).map { $0.isNewline ? " " : $0 }
        return String(text.prefix(200))
    }
}
