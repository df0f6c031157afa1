// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// A run of a list of tasks that leaves a journal and remembers what it created.
///
/// The engine alone (``TaskGraph``) needs none of this; a machine that is to be explained and cleaned up later does.
public struct ListRun: Sendable {
    /// How a run is asked for.
    public struct Request: Sendable {
        /// Whether to remove what earlier runs of this list created and the list no longer has.
        public var prunes: Bool
        /// The digest of the plan that was approved; `nil` allows whatever is needed.
        public var expected: String?

        /// Makes a request.
        public init(prunes: Bool = false, expected: String? = nil) {
            self.prunes = prunes
            self.expected = expected
        }
    }

    let list: String
    let tasks: [any NodeTask]
    let node: any NodeWriter
    let graph: NodeTaskGraph
    /// The ownership keys of the tasks.
    let keys: [TaskID: String]

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - list: The name under which what is created is remembered; one line.
    ///   - tasks: What is declared.
    ///   - node: The machine.
    /// - Throws: ``Failure`` as ``TaskGraph/init(declared:)``.
    public init(list: String, tasks: [any NodeTask], on node: any NodeWriter) throws {
        self.list = list
        self.tasks = tasks
        self.node = node
        graph = try NodeTaskGraph(tasks)
        keys = Dictionary(
            tasks.compactMap { task in Removal.key(of: task).map { (task.id, $0) } },
            uniquingKeysWith: { first, _ in first }
        )
    }

    var declared: Set<String> { Set(keys.values) }

    /// What a run would change; nothing is changed.
    ///
    /// - Parameter request: How it is asked for.
    /// - Returns: The plan, pruning included.
    /// - Throws: ``Failure`` when the ownership record cannot be read, or `CancellationError`.
    public func plan(_ request: Request = Request()) async throws -> Plan {
        let plan = try await graph.plan(on: node)
        guard request.prunes else { return plan }
        let removal = try await pruning(try await recovered(try await OwnershipRecord.read(list, on: node)))
        return Plan(entries: plan.entries + (try await removal.graph.plan(on: node)).entries)
    }

    /// Makes the machine what the list declares.
    ///
    /// - Parameters:
    ///   - request: How it is asked for.
    ///   - pid: The process that runs this, for the journal.
    ///   - options: How it goes about its tasks.
    ///   - observer: Who wants to know how it gets on.
    /// - Returns: How every task ended.
    /// - Throws: ``Failure`` `plan-outdated` when the plan is not the one approved, and what prevents a journal; nothing
    ///   has been changed then. What fails later is in the report.
    public func converge(
        _ request: Request = Request(),
        pid: Int32,
        options: ConvergeOptions = ConvergeOptions(),
        observer: (any ConvergeObserver)? = nil
    ) async throws -> ConvergeReport {
        var options = options
        if let expected = request.expected { options.approved = try await approved(expected, request) }
        var record = try await recovered(try await OwnershipRecord.read(list, on: node))
        // What the last run did not live to put on record would be lost with its journal.
        if try await RunHistory(on: node, isLive: { _ in false })?.unrecorded != nil {
            try await record.write(on: node)
        }

        let removal = request.prunes ? try await pruning(record) : nil
        let journal = RunJournal(on: node, keys: keys, now: options.now)
        try await journal.begin(list: list, pid: pid, total: graph.count + (removal?.graph.count ?? 0))
        var report = await graph.converge(
            on: node,
            reader: node,
            options: options,
            observer: observer,
            journal: journal
        )
        record.note(declared: declared, created: try await created(journal, report))
        if let removal {
            let removed = await prune(removal, unless: report, options, observer, journal)
            for task in removed.tasks where task.isAsDeclared { record.marks[removal.keys[task.id] ?? ""] = nil }
            report = report.followed(by: removed)
        }
        try await record.write(on: node)
        try await journal.finish(failed: report.failed, summary: report.summary)
        return report
    }

    private func approved(_ expected: String, _ request: Request) async throws -> Plan {
        let plan = try await plan(request)
        guard plan.digest == expected else {
            throw Failure(
                .permanent,
                code: "plan-outdated",
                "the plan is no longer the approved one: its digest is \(plan.digest), not \(expected)",
                hint: "look at a new plan, and approve its digest; nothing was changed"
            )
        }
        return plan
    }
}
