// SPDX-License-Identifier: Apache-2.0
import StateStore

/// What differs between two generations, or between one and the objects that nodes should follow.
struct GenerationDifference {
    /// The newer side.
    enum Side {
        case published(Generation)
        case rendered([String: [UInt8]])
    }

    let old: Generation
    let new: Side

    /// `+`, `-` and `~` lines by object, with the differing lines of changed ones; empty when nothing differs.
    ///
    /// - Throws: ``GenerationError`` when a generation is damaged.
    func lines() async throws -> [String] {
        let before = Set(old.manifest.objects.keys)
        let after = names
        var lines: [String] = []
        for name in before.union(after).sorted() {
            guard after.contains(name) else {
                lines.append("- \(name)")
                continue
            }
            guard before.contains(name) else {
                lines.append("+ \(name)")
                continue
            }
            guard try await !isSame(name) else { continue }
            lines.append("~ \(name)")
            let (from, to) = (try await old.object(named: name), try await object(name))
            lines += UpdatePlan.difference(from: text(from), to: text(to)).map { "    \($0)" }
        }
        return lines
    }

    private var names: Set<String> {
        switch new {
        case .published(let generation): Set(generation.manifest.objects.keys)
        case .rendered(let objects): Set(objects.keys)
        }
    }

    private func isSame(_ name: String) async throws -> Bool {
        switch new {
        case .published(let generation): generation.manifest.objects[name] == old.manifest.objects[name]
        case .rendered(let objects): try await old.object(named: name) == objects[name]
        }
    }

    private func object(_ name: String) async throws -> [UInt8] {
        switch new {
        case .published(let generation): try await generation.object(named: name)
        case .rendered(let objects): objects[name] ?? []
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
