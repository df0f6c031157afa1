// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
public import SystemPackage

extension ServiceTask {
    /// Effects on a unit.
    public enum Step: PlannedStep {
        case define(String, FilePath, from: ShownContent?)
        case dropIn(String, FilePath, from: ShownContent?)
        /// Makes systemd read its units again; a plan shows it only where it stands alone.
        case reload(isShown: Bool)
        case enable(Bool, from: String)
        case start(from: String)
        case stop(from: String)
        case restart
        /// Drops a restart that is owed by a unit that is not to run.
        case forget
        case undefine(FilePath, ShownContent)
        /// Makes systemd forget a unit whose file is gone.
        case reloadRemoved

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .define(let text, let path, let from): Self.contents("definition", path, from, text)
            case .dropIn(let text, let path, let from): Self.contents("drop-in \(Self.name(path))", path, from, text)
            case .reload: Change("loaded", from: .text("outdated"), to: .text("current"))
            case .enable(let enabled, let from):
                Change("enabled", from: from.isEmpty ? nil : .text(from), to: .text(enabled ? "enabled" : "disabled"))
            case .start(let from): Change("state", from: .text(from), to: .text("active"))
            case .stop(let from): Change("state", from: .text(from), to: .text("inactive"))
            case .restart: Change("started with", from: .text("outdated"), to: .text("current"))
            case .forget: Change("owed restart", from: .text("set"))
            case .undefine(let path, let from):
                Change(path.string.hasSuffix(".conf") ? "drop-in \(Self.name(path))" : "definition", from: from.shown)
            case .reloadRemoved: Change("loaded", from: .text("present"))
            }
        }

        /// All lines of a plan.
        public var changes: [Change] {
            if case .reload(isShown: false) = self { [] } else { [change] }
        }

        private static func contents(_ field: String, _ path: FilePath, _ from: ShownContent?, _ text: String) -> Change
        {
            Change(field, of: path, from: from, to: ShownContent([UInt8](text.utf8), mayShow: true))
        }

        private static func name(_ path: FilePath) -> String { path.lastComponent?.string ?? "" }
    }
}
