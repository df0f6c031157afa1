// SPDX-License-Identifier: Apache-2.0

/// Rows below a heading, laid out as kops lays them out.
///
/// - Shape: columns separated by tabs up to the next multiple of 8 behind the widest cell, rows sorted by their cells.
/// - Source: kops `util/pkg/tables`, Go's text/tabwriter with minimum width 0, tab width 8, padding 1, tabs.
struct Table {
    var columns: [String]
    var rows: [[String]]

    init(_ columns: [String], rows: [[String]], isSorted: Bool = true) {
        self.columns = columns
        self.rows = isSorted ? rows.sorted { $0.lexicographicallyPrecedes($1) } : rows
    }

    /// The table with a newline behind each row.
    var text: String {
        let lines = [columns] + rows.map { row in row.map(Self.cell) }
        let widths = columns.indices.map { column in
            let widest = lines.map { $0[column].count }.max() ?? 0
            return (widest + 1 + 7) / 8 * 8
        }
        return lines.map { line in
            line.indices.map { column in
                guard column < line.count - 1 else { return line[column] }
                let missing = widths[column] - line[column].count
                return line[column] + String(repeating: "\t", count: (missing + 7) / 8)
            }.joined() + "\n"
        }.joined()
    }

    /// A cell stays one cell, whatever an agent has written into it.
    private static func cell(_ text: String) -> String {
        String(text.map { $0.isNewline || $0 == "\t" || $0.asciiValue.map { $0 < 0x20 } == true ? " " : $0 })
    }
}
