// SPDX-License-Identifier: Apache-2.0
public import NodeOS
internal import SystemPackage

/// A kernel setting, live and at every boot (sysctl.d(5)).
///
/// - Shape: `sysctl` {`key`, `value`, `ensure`}; the file is `/etc/sysctl.d/99-kopslite-<key>.conf`. Absent, the file goes
///   and the live value stays until the next boot.
public struct SysctlTask: DeclaredTask {
    /// The setting as it is.
    public struct Found: Sendable, Equatable {
        /// With single blanks between numbers; `nil` when the kernel has no such setting.
        var live: String?
        /// The whole file; `nil` when there is none.
        var file: String?
    }

    /// Effects on a setting.
    public enum Step: PlannedStep {
        case write(from: String?)
        case set(from: String?, to: String)
        case remove

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .write(let from):
                Change("at boot", from: from.map { .text($0.filter { $0 != "\n" }) }, to: .text("set"))
            case .set(let from, let to): Change("live", from: from.map { .text($0) }, to: .text(to))
            case .remove: Change("at boot", from: .text("set"))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "sysctl"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// Its name with dots.
    public let key: String
    let value: String
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a setting.
    public init(
        _ key: String,
        value: String,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(key)
        self.after = after
        self.key = key
        self.value = Self.plain(value)
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "key", "value")
        let ensure = try fields.ensure()
        let key = try fields.name("key")
        guard key.contains("."), !key.contains(".."), !key.hasSuffix(".") else {
            throw fields.refuse("key", "\"\(key)\" is no setting such as net.ipv4.ip_forward")
        }
        self.init(key, value: ensure == .present ? try Self.value(fields) : "", ensure: ensure)
    }

    /// A text or, as people write, a whole number.
    private static func value(_ fields: Fields) throws -> String {
        if let number = try? fields.value("value", Int.self) { return "\(number)" }
        return try fields.word("value")
    }

    private static func plain(_ value: String) -> String {
        value.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private var file: OwnFile {
        OwnFile(
            path: FilePath("/etc/sysctl.d").appending("99-kopslite-\(key).conf"),
            text: "\(key) = \(value)\n"
        )
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["key": key] }
    /// What it makes and needs.
    public var claims: Claims {
        ensure == .present
            ? Claims(owns: [.name("sysctl:\(key)"), .path(file.path)])
            : Claims(owns: [.name("sysctl:\(key)")], clears: [file.path])
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        let live = try await node.sysctl(key).map(Self.plain)
        let text = try await file.find(on: node)
        return live == nil && text == nil ? nil : Found(live: live, file: text)
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else { return found?.file == nil ? [] : [.remove] }
        var steps: [Step] = []
        if found?.file != file.text { steps.append(.write(from: found?.file)) }
        if found?.live != value { steps.append(.set(from: found?.live, to: value)) }
        return steps
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .write: try await file.write(on: node)
        case .set(_, let value): try await node.setSysctl(key, to: value)
        case .remove: try await file.remove(on: node)
        }
    }
}
