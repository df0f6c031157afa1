// SPDX-License-Identifier: Apache-2.0

/// What rpm has recorded, by name.
struct RpmPackages: Sendable {
    /// One version of a package.
    struct Entry: Sendable, Equatable {
        /// `[epoch:]version-release`; an epoch of 0 is not written.
        var version: String
        var architecture: String
        /// In seconds since 1970.
        var installed: Int64
    }

    /// The newest installation first.
    private(set) var entries: [String: [Entry]] = [:]

    /// Prints the records, a line each.
    static let query = Command(
        "rpm",
        ["-qa", "--queryformat", #"%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{INSTALLTIME}\n"#],
        outputLimit: 16 << 20
    )

    /// Makes an empty record.
    init() {}

    /// Reads what ``query`` printed; a line that is none is skipped.
    init(parsing text: String) {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 4, !fields[0].isEmpty, let installed = Int64(fields[3]) else { continue }
            let version = fields[1].hasPrefix("0:") ? fields[1].dropFirst(2) : fields[1]
            let entry = Entry(version: String(version), architecture: String(fields[2]), installed: installed)
            entries[String(fields[0]), default: []].append(entry)
        }
        for name in entries.keys { entries[name]?.sort { $0.installed > $1.installed } }
    }

    /// The version installed last.
    func entry(named name: String) -> Entry? { entries[name]?.first }

    /// The versions that an interrupted upgrade did not come to remove; kernels stand beside each other by intent.
    func leftovers(of name: String) -> [Entry] {
        guard let all = entries[name], let last = all.first, !name.hasPrefix("kernel") else { return [] }
        return all.dropFirst().filter { $0.architecture == last.architecture }
    }
}
