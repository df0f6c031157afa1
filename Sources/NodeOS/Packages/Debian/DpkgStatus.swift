// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What dpkg has recorded, from `/var/lib/dpkg/status` and the files of an interrupted run in `updates/`.
struct DpkgStatus: Sendable {
    /// A package's condition, as `Status: want flag state` has it (dpkg(1)).
    struct Entry: Sendable, Equatable {
        var version: String
        var architecture: String
        /// `installed`, `half-configured`, `config-files`, … .
        var state: String
        /// Whether the flag asks for the package to be installed again.
        var needsReinstall: Bool
        /// Whether the administrator wants it left as it is.
        var isHeld: Bool

        /// Whether its files are there, if only in part.
        var isPresent: Bool { state != "not-installed" && state != "config-files" && !state.isEmpty }
        /// Whether nothing is left to be done.
        var isComplete: Bool { !isPresent || state == "installed" && !needsReinstall }
    }

    /// By name; where a package is there for several architectures, that of dpkg itself comes first.
    private(set) var entries: [String: [Entry]] = [:]

    /// Makes an empty record.
    init() {}

    /// A package by its name, or by `name:architecture`.
    func entry(named name: String) -> Entry? {
        let parts = name.split(separator: ":", maxSplits: 1)
        guard let plain = parts.first, let candidates = entries[String(plain)] else { return nil }
        if parts.count == 2, parts[1] != "any" { return candidates.first { $0.architecture == parts[1] } }
        let native = entries["dpkg"]?.first?.architecture
        let present = candidates.filter(\.isPresent)
        return present.first { $0.architecture == native || $0.architecture == "all" } ?? present.first
    }

    /// Whether a package is held, be it there or not: a package can be held away as well.
    func isHeld(_ name: String) -> Bool {
        if let entry = entry(named: name) { return entry.isHeld }
        let plain = name.split(separator: ":", maxSplits: 1).first.map(String.init) ?? name
        return entries[plain]?.contains { $0.isHeld } ?? false
    }

    /// The packages that an interruption left half done, sorted.
    var incomplete: [String] {
        entries.filter { $0.value.contains { !$0.isComplete } }.keys.sorted()
    }

    /// The packages whose files are there in part, sorted by name; configuring does not mend them.
    var torn: [(name: String, version: String)] {
        let native = entries["dpkg"]?.first?.architecture
        return entries.sorted { $0.key < $1.key }.flatMap { name, candidates in
            candidates.filter { $0.isPresent && ($0.needsReinstall || $0.state == "half-installed") }.map { entry in
                let isNative = entry.architecture == native || entry.architecture == "all"
                return (isNative ? name : "\(name):\(entry.architecture)", entry.version)
            }
        }
    }

    /// Reads paragraphs of deb822(5) and puts them over what is known; a paragraph without a name is skipped.
    mutating func merge(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { buffer in
            var paragraph = Paragraph()
            var start = 0
            while start < buffer.count {
                let end = endOfLine(from: start, in: buffer)
                if end == start {
                    add(paragraph)
                    paragraph = Paragraph()
                } else {
                    paragraph.take(UnsafeBufferPointer(rebasing: buffer[start..<end]))
                }
                start = end + 1
            }
            add(paragraph)
        }
    }

    private func endOfLine(from start: Int, in buffer: UnsafeBufferPointer<UInt8>) -> Int {
        guard let base = buffer.baseAddress, let found = memchr(base + start, 10, buffer.count - start) else {
            return buffer.count
        }
        return UnsafeRawPointer(base).distance(to: found)
    }

    private mutating func add(_ paragraph: Paragraph) {
        guard let name = paragraph.name else { return }
        let entry = paragraph.entry
        if let index = entries[name]?.firstIndex(where: { $0.architecture == entry.architecture }) {
            entries[name]?[index] = entry
        } else {
            entries[name, default: []].append(entry)
        }
    }
}

/// The fields of one package that matter here.
private struct Paragraph {
    var name: String?
    var entry = DpkgStatus.Entry(version: "", architecture: "", state: "", needsReinstall: false, isHeld: false)

    /// Takes one line; only four fields are ever made into strings, for the file has megabytes of others.
    mutating func take(_ line: UnsafeBufferPointer<UInt8>) {
        switch line[0] {
        case UInt8(ascii: "P"): if let value = value(of: "Package:", in: line) { name = value }
        case UInt8(ascii: "V"): if let value = value(of: "Version:", in: line) { entry.version = value }
        case UInt8(ascii: "A"): if let value = value(of: "Architecture:", in: line) { entry.architecture = value }
        case UInt8(ascii: "S"):
            guard let value = value(of: "Status:", in: line) else { return }
            let words = value.split(separator: " ")
            guard words.count == 3 else { return }
            entry.isHeld = words[0] == "hold"
            entry.needsReinstall = words[1] != "ok"
            entry.state = String(words[2])
        default: return
        }
    }

    private func value(of field: StaticString, in line: UnsafeBufferPointer<UInt8>) -> String? {
        let count = field.utf8CodeUnitCount
        guard line.count > count else { return nil }
        for index in 0..<count where line[index] != field.utf8Start[index] { return nil }
        var start = count
        while start < line.count, line[start] == UInt8(ascii: " ") { start += 1 }
        return String(decoding: line[start...], as: UTF8.self)
    }
}
