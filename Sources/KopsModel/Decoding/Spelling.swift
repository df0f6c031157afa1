// SPDX-License-Identifier: Apache-2.0

/// Finds the word a person probably meant.
public enum Spelling {
    /// The known word nearest to a misspelt one; `nil` when none is within a third of its length.
    public static func nearest(to word: String, in known: [String]) -> String? {
        let limit = max(1, word.count / 3)
        return known.map { (word: $0, distance: distance(word.lowercased(), $0.lowercased())) }
            .filter { $0.distance <= limit }
            .min { ($0.distance, $0.word) < ($1.distance, $1.word) }?.word
    }

    /// How many insertions, removals and replacements turn one word into the other.
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (line, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, other) in right.enumerated() {
                let replaced = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
