// SPDX-License-Identifier: Apache-2.0

/// Shows one view after the other: drawn over the last one on a terminal, a line for each change elsewhere.
struct WatchScreen {
    let console: Console
    private var last: WatchView?

    init(console: Console) { self.console = console }

    mutating func show(_ view: WatchView) {
        guard view != last else { return }
        if console.isTerminal { draw(view) } else { list(view) }
        last = view
    }

    private func draw(_ view: WatchView) {
        // Up to the last table's first line, then from there to the end of the screen cleared: console_codes(4).
        let back = last.map { "\u{1B}[\($0.rows.count + 1)A\u{1B}[J" } ?? ""
        console.output(back + view.table)
    }

    /// The heading once, then every row that is new or tells something else than what was shown last.
    private func list(_ view: WatchView) {
        if last == nil { console.line(WatchView.columns.joined(separator: "\t")) }
        for row in view.rows where row.isNews(after: last?.rows.first { $0.name == row.name }) {
            console.line(
                row.cells.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }.joined(separator: "\t")
            )
        }
    }
}
