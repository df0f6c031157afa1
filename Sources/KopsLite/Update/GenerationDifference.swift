// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore

/// What differs between the generation that nodes follow and the objects they should follow.
struct GenerationDifference {
    let current: Generation
    /// By name, rendered for the current generation's number, so that only real differences count.
    let wanted: [String: [UInt8]]

    /// `+`, `-` and `~` lines by object, with the differing lines of changed ones; empty when nothing differs.
    ///
    /// - Throws: ``GenerationError`` when the current generation is damaged.
    func lines() async throws -> [String] {
        let names = Set(current.manifest.objects.keys)
        var lines: [String] = []
        for name in names.union(wanted.keys).sorted() {
            guard let new = wanted[name] else {
                lines.append("- \(name)")
                continue
            }
            guard names.contains(name) else {
                lines.append("+ \(name)")
                continue
            }
            let old = try await current.object(named: name)
            guard old != new else { continue }
            lines.append("~ \(name)")
            lines += UpdatePlan.difference(from: text(old), to: text(new)).map { "    \($0)" }
        }
        return lines
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
