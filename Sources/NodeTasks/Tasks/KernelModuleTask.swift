// SPDX-License-Identifier: Apache-2.0
public import NodeOS
internal import SystemPackage

/// A kernel module, loaded now and at every boot (modules-load.d(5)).
///
/// - Shape: `kernelModule` {`name`, `ensure`}; the file is `/etc/modules-load.d/<name>.conf`. Absent, the file goes and the
///   module stays loaded until the next boot.
public struct KernelModuleTask: DeclaredTask {
    /// The module as it is.
    public struct Found: Sendable, Equatable {
        var isLoaded: Bool
        var file: String?
    }

    /// Effects on a module.
    public enum Step: PlannedStep {
        case write(from: String?)
        case load
        case remove

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .write(let from):
                Change("at boot", from: from.map { .text($0.filter { $0 != "\n" }) }, to: .text("loaded"))
            case .load: Change("live", to: .text("loaded"))
            case .remove: Change("at boot", from: .text("loaded"))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "kernelModule"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// The module's name.
    public let name: String
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a module.
    public init(_ name: String, ensure: Ensure = .present, id: TaskID? = nil, after: [TaskID] = []) {
        self.id = id ?? Self.defaultID(name)
        self.after = after
        self.name = name
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "name")
        self.init(try fields.name("name", allowing: "_-"), ensure: try fields.ensure())
    }

    private var file: OwnFile {
        OwnFile(path: FilePath("/etc/modules-load.d").appending("\(name).conf"), text: "\(name)\n")
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["name": name] }
    /// What it makes and needs.
    public var claims: Claims {
        ensure == .present
            ? Claims(owns: [.name("module:\(name)"), .path(file.path)])
            : Claims(owns: [.name("module:\(name)")], clears: [file.path])
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        let isLoaded = try await node.hasKernelModule(name)
        let text = try await file.find(on: node)
        return !isLoaded && text == nil ? nil : Found(isLoaded: isLoaded, file: text)
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else { return found?.file == nil ? [] : [.remove] }
        var steps: [Step] = []
        if found?.file != file.text { steps.append(.write(from: found?.file)) }
        if found?.isLoaded != true { steps.append(.load) }
        return steps
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .write: try await file.write(on: node)
        case .load: try await node.loadKernelModule(name)
        case .remove: try await file.remove(on: node)
        }
    }
}
