// SPDX-License-Identifier: Apache-2.0

/// Numbers with their nouns.
enum Count {
    /// `1 task`, `2 tasks`.
    static func of(_ number: Int, _ noun: String) -> String { "\(number) \(noun)" + (number == 1 ? "" : "s") }
}
