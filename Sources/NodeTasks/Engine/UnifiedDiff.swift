// SPDX-License-Identifier: Apache-2.0

/// The difference of two texts as `diff -u` writes it, which reviewers and patch(1) read.
///
/// The standard library finds the difference (Myers' algorithm); only its layout is made here.
enum UnifiedDiff {
    /// One line of a diff: kept, removed or added.
    private struct Line {
        let sign: Character
        let text: Substring
    }

    /// The most lines a side may have: the search is quadratic in what differs.
    private static let lineLimit = 2000

    /// The diff; `nil` when the texts are equal or too long to compare.
    static func of(_ old: String, _ new: String, name: String, isNew: Bool = false, context: Int = 3) -> String? {
        let before = lines(old)
        let after = lines(new)
        guard before != after, before.count <= lineLimit, after.count <= lineLimit else { return nil }
        let all = script(before, after)
        let hunks = ranges(all, context).map { hunk(all, $0) }
        return "--- \(isNew ? "/dev/null" : name)\n+++ \(name)\n" + hunks.joined()
    }

    /// The lines with their ends, so that a missing last newline is a difference.
    private static func lines(_ text: String) -> [Substring] {
        var lines: [Substring] = []
        var start = text.startIndex
        while start < text.endIndex {
            let end = text[start...].firstIndex(of: "\n").map { text.index(after: $0) } ?? text.endIndex
            lines.append(text[start..<end])
            start = end
        }
        return lines
    }

    /// Every line of both texts in order, with its sign; what is removed stands before what is added.
    private static func script(_ before: [Substring], _ after: [Substring]) -> [Line] {
        let difference = after.difference(from: before)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for case .remove(let offset, _, _) in difference.removals { removed.insert(offset) }
        for case .insert(let offset, _, _) in difference.insertions { added.insert(offset) }
        var all: [Line] = []
        var (old, new) = (0, 0)
        while old < before.count || new < after.count {
            if removed.contains(old) {
                all.append(Line(sign: "-", text: before[old]))
                old += 1
            } else if added.contains(new) {
                all.append(Line(sign: "+", text: after[new]))
                new += 1
            } else {
                all.append(Line(sign: " ", text: before[old]))
                old += 1
                new += 1
            }
        }
        return all
    }

    /// The parts to show: each change with what is around it, joined where they touch.
    private static func ranges(_ all: [Line], _ context: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for index in all.indices where all[index].sign != " " {
            let around = max(0, index - context)..<min(all.count, index + context + 1)
            if let last = ranges.last, last.upperBound >= around.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<around.upperBound
            } else {
                ranges.append(around)
            }
        }
        return ranges
    }

    private static func hunk(_ all: [Line], _ range: Range<Int>) -> String {
        let old = place(all, range, without: "+")
        let new = place(all, range, without: "-")
        let body = all[range].map { line in
            "\(line.sign)\(line.text)" + (line.text.hasSuffix("\n") ? "" : "\n\\ No newline at end of file\n")
        }
        return "@@ -\(old) +\(new) @@\n" + body.joined()
    }

    /// `first line,count` of one side; an empty side is named by the line before it.
    private static func place(_ all: [Line], _ range: Range<Int>, without sign: Character) -> String {
        let before = all[..<range.lowerBound].count { $0.sign != sign }
        let count = all[range].count { $0.sign != sign }
        return "\(count == 0 ? before : before + 1),\(count)"
    }
}
