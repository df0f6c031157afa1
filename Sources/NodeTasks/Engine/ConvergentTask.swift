// SPDX-License-Identifier: Apache-2.0

/// One idempotent fact about a target: an immutable value, free of handles.
///
/// The engine knows two targets, a machine (`any NodeReader`, `any NodeWriter`) and a cloud; a task names the pair it
/// needs, and `find` gets the half that cannot change anything.
public protocol ConvergentTask<Reader, Writer>: Sendable {
    /// The target as it can be observed.
    associatedtype Reader: Sendable
    /// The target as it can be changed.
    associatedtype Writer: Sendable
    /// What `find` observes.
    associatedtype Found: Sendable, Equatable
    /// One indivisible effect; a plan prints it and `apply` runs that same value.
    associatedtype Step: PlannedStep

    /// Unique within a graph and stable across runs, such as `file:/etc/crictl.yaml`.
    var id: TaskID { get }
    /// The tasks that must have converged before this one is looked at.
    var after: [TaskID] { get }
    /// What the task makes, shares and needs; the graph derives order from it. Nothing unless declared.
    var claims: Claims { get }
    /// The queue of tasks that run one at a time, such as `packages`; `nil` runs beside any other.
    var lane: String? { get }
    /// The tasks after whose changes this one has an effect of its own to run, such as a restart. They come before it.
    var follows: [TaskID] { get }

    /// Observes the target; `nil` means absent.
    func find(on target: Reader) async throws -> Found?
    /// Decides, purely: the steps that lead from what was found to what is declared; empty means converged.
    ///
    /// - Throws: ``Failure`` when only a person can choose.
    func plan(from found: Found?) throws -> [Step]
    /// Runs one step, and may be repeated after a crash between any two.
    func apply(_ step: Step, on target: Writer) async throws

    /// Makes it a fact of the target that a task in ``follows`` is about to change, so that a crash cannot lose it.
    ///
    /// Runs before the first step of that task; what it leaves behind is what `find` then sees.
    func noteChange(of task: TaskID, on target: Writer) async throws
    /// What `find` will see once tasks in ``follows`` have changed; a plan, which cannot note a change, asks this.
    func foreseen(_ found: Found?, afterChangesOf tasks: [TaskID]) -> Found?
    /// The steps of several tasks of one lane as fewer steps, which any of these tasks can apply; `nil` where each
    /// task's steps stand alone.
    static func merge(_ steps: [Step]) -> [Step]?
}

extension ConvergentTask {
    /// Claims nothing.
    public var claims: Claims { Claims() }
    /// Runs beside any other.
    public var lane: String? { nil }
    /// Follows nothing.
    public var follows: [TaskID] { [] }
    /// Notes nothing.
    public func noteChange(of task: TaskID, on target: Writer) async throws {}
    /// Foresees nothing.
    public func foreseen(_ found: Found?, afterChangesOf tasks: [TaskID]) -> Found? { found }
    /// Merges nothing.
    public static func merge(_ steps: [Step]) -> [Step]? { nil }
}

/// A planned effect that can say in one line what it will change.
public protocol PlannedStep: Sendable, Equatable {
    /// The line a plan prints first.
    var change: Change { get }
    /// All lines a plan prints, for an effect that changes several things at once.
    var changes: [Change] { get }
}

extension PlannedStep {
    /// The one line.
    public var changes: [Change] { [change] }
}

/// The stable name of a task, `<kind>:<key>`.
public struct TaskID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The name as written.
    public let name: String

    /// Makes an identifier from its name.
    public init(_ name: String) { self.name = name }
    /// Makes an identifier from a literal.
    public init(stringLiteral value: String) { self.name = value }
    /// Decodes a bare string.
    public init(from decoder: any Decoder) throws { name = try decoder.singleValueContainer().decode(String.self) }
    /// Encodes as a bare string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
    /// The name.
    public var description: String { name }
    /// By name.
    public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}
