// SPDX-License-Identifier: Apache-2.0
public import NodeOS
internal import SystemPackage

/// Lines of `/etc/hosts` between markers of our own; the rest of the file is others' (hosts(5)).
///
/// - Shape: `hostsBlock` {`name`, `entries`, `ensure`}; `entries` is an object of addresses with a name or a list of names
///   each, or a list of lines such as `10.0.0.1 api.internal.example`.
public struct HostsBlockTask: DeclaredTask {
    /// The file as it is.
    public struct Found: Sendable, Equatable {
        /// The lines without any block of this name, byte for byte: they are others', in whatever encoding.
        var others: [[UInt8]]
        /// The lines of the block; `nil` when there is none.
        var block: [String]?
        /// Whether the markers do not pair up, or the block stands there twice.
        var isBroken: Bool
        var status: FileStatus
    }

    /// Effects on the block.
    public enum Step: PlannedStep {
        case write(from: [String]?, to: [String])
        case remove([String])

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .write(let from, let to):
                Change("entries", from: from.map { .text(Self.shown($0)) }, to: .text(Self.shown(to)))
            case .remove(let from): Change("entries", from: .text(Self.shown(from)))
            }
        }

        private static func shown(_ lines: [String]) -> String {
            lines.isEmpty ? "none" : lines.joined(separator: ", ")
        }
    }

    /// The name in a tasks file.
    public static let kind = "hostsBlock"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// Its name, which the markers carry.
    public let name: String
    /// One line an address, sorted.
    let lines: [String]
    /// Whether it is to be there.
    public let ensure: Ensure
    private let path: FilePath = "/etc/hosts"

    /// Declares a block of lines, each an address and its names.
    public init(
        _ name: String,
        entries: [String: [String]],
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(name)
        self.after = after
        self.name = name
        self.lines = entries.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
            .map { ([$0.key] + $0.value).joined(separator: " ") }
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "name", "entries")
        let ensure = try fields.ensure()
        let entries = ensure == .present || fields.has("entries") ? try Self.entries(fields) : [:]
        self.init(try fields.name("name"), entries: entries, ensure: ensure)
    }

    private static func entries(_ fields: Fields) throws -> [String: [String]] {
        let entries: [String: [String]]
        if let object = try? fields.value("entries", [String: NamesValue].self) {
            entries = object.mapValues(\.names)
        } else {
            let split = try fields.words("entries").map { $0.split(separator: " ").map(String.init) }
            entries = Dictionary(split.map { ($0.first ?? "", Array($0.dropFirst())) }, uniquingKeysWith: +)
        }
        for (address, names) in entries {
            guard address.contains(where: { ".:".contains($0) }),
                address.unicodeScalars.allSatisfy({ $0.properties.isASCIIHexDigit || ".:%".unicodeScalars.contains($0) }
                )
            else { throw fields.refuse("entries", "\"\(address.prefix(60))\" is no IP address") }
            guard !names.isEmpty, names.allSatisfy({ Fields.isName($0, allowing: "._-") }) else {
                throw fields.refuse("entries", "the names of \(address) are no host names")
            }
        }
        return entries
    }

    private var begin: String { "# BEGIN kopslite \(name)" }
    private var end: String { "# END kopslite \(name)" }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["name": name] }
    /// What it makes and needs.
    public var claims: Claims { Claims(owns: [.part(of: path, name)]) }
    /// Blocks share a file, which is read, changed and written as a whole.
    public var lane: String? { path.string }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        guard let status = try await node.status(of: path) else { return nil }
        guard status.kind == .regular else {
            throw conflict(
                "not-a-file",
                "\(path) is \(status.kind.noun); a regular file is needed for the block \(name)",
                hint: "put a regular file there, with what it is to hold"
            )
        }
        var lines = try await node.read(path)
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        if lines.last == [] { lines.removeLast() }
        return parse(lines, status)
    }

    private func parse(_ lines: [[UInt8]], _ status: FileStatus) -> Found {
        let (begin, end) = (Array(begin.utf8), Array(end.utf8))
        var found = Found(others: [], block: nil, isBroken: false, status: status)
        var open: [String]?
        for line in lines {
            if line == begin {
                found.isBroken = found.isBroken || open != nil || found.block != nil
                open = []
            } else if line == end {
                found.isBroken = found.isBroken || open == nil
                found.block = found.block ?? open
                open = nil
            } else if open != nil {
                open?.append(String(decoding: line, as: UTF8.self))
            } else {
                found.others.append(line)
            }
        }
        found.isBroken = found.isBroken || open != nil
        return found
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        if found?.isBroken == true {
            throw conflict(
                "hosts-block-broken",
                "\(path) has markers of the block \(name) that do not pair up",
                hint: "remove the lines from \"\(begin)\" to \"\(end)\" and run again"
            )
        }
        guard ensure == .present else { return found?.block.map { [.remove($0)] } ?? [] }
        return found?.block == lines ? [] : [.write(from: found?.block, to: lines)]
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        let found = try await find(on: node)
        // Once more: between plan and apply others may have broken the markers.
        _ = try plan(from: found)
        let block: [String] =
            switch step {
            case .write(_, let lines): [begin] + lines + [end]
            case .remove: []
            }
        let bytes = ((found?.others ?? []) + block.map { Array($0.utf8) }).flatMap { $0 + [UInt8(ascii: "\n")] }
        let attributes = FileAttributes(
            mode: found?.status.mode ?? 0o644,
            uid: found?.status.uid ?? 0,
            gid: found?.status.gid ?? 0
        )
        if found == nil { try await node.makeParent(of: path) }
        try await node.write(bytes, to: path, attributes: attributes)
    }
}

/// One name or several.
private struct NamesValue: Decodable {
    var names: [String]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let name = try? container.decode(String.self) {
            names = [name]
        } else {
            names = try container.decode([String].self)
        }
    }
}
