// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// What an agent on a machine says of itself; only that agent writes it.
///
/// - Shape: JSON at `status/<instance>/<agent>.json`, replaced as a whole at every change.
public struct AgentStatus: Codable, Sendable, Equatable {
    /// `nodeup` or `protokube`.
    public var agent: String
    /// The machine's name.
    public var instance: String
    /// The instance group's name.
    public var instanceGroup: String
    /// What the machine does in the cluster.
    public var role: InstanceRole?
    /// The generation the agent follows; `nil` until it has read one.
    public var generation: Int?
    /// What the agent does now, or how it ended.
    public var phase: AgentPhase
    /// What it is at now, in a few words, such as the identifier of a task.
    public var activity: String
    /// How many tasks are done, of `tasksTotal`.
    public var tasksDone: Int
    /// How many tasks the run has; 0 until known.
    public var tasksTotal: Int
    /// How many tasks changed the machine.
    public var tasksChanged: Int
    /// The failure that matters now; `nil` when there is none.
    public var failure: AgentFailure?
    /// When the run began.
    public var started: Date
    /// When the agent last wrote this.
    public var updated: Date
    /// How long each finished phase or long task took, in the order they ended.
    public var spans: [Span]

    /// How well the etcd clusters are backed up that the machine leads, by name; `nil`: it leads none.
    public var backups: [Backups]?

    /// How well an etcd cluster is backed up.
    public struct Backups: Codable, Sendable, Equatable {
        /// `main` or `events`.
        public var etcdCluster: String
        /// How many backups there are.
        public var count: Int
        /// When the newest that is proven was taken, ISO 8601 in UTC; `nil`: none is proven.
        public var newestProven: String?
        /// The damaged ones, oldest first: name and code.
        public var damaged: [String]

        /// Makes one from its parts.
        public init(etcdCluster: String, count: Int, newestProven: String?, damaged: [String]) {
            self.etcdCluster = etcdCluster
            self.count = count
            self.newestProven = newestProven
            self.damaged = damaged
        }
    }

    /// A stretch of time that a waterfall shows.
    public struct Span: Codable, Sendable, Equatable {
        /// What took the time, such as `download` or a task's identifier.
        public var name: String
        /// When it began.
        public var start: Date
        /// When it ended.
        public var end: Date

        /// Makes a span from its parts.
        public init(name: String, start: Date, end: Date) {
            self.name = name
            self.start = start
            self.end = end
        }
    }

    /// Makes a status from its parts.
    public init(
        agent: String,
        instance: String,
        instanceGroup: String,
        role: InstanceRole? = nil,
        generation: Int? = nil,
        phase: AgentPhase,
        activity: String = "",
        tasksDone: Int = 0,
        tasksTotal: Int = 0,
        tasksChanged: Int = 0,
        failure: AgentFailure? = nil,
        started: Date,
        updated: Date,
        spans: [Span] = []
    ) {
        self.agent = agent
        self.instance = instance
        self.instanceGroup = instanceGroup
        self.role = role
        self.generation = generation
        self.phase = phase
        self.activity = activity
        self.tasksDone = tasksDone
        self.tasksTotal = tasksTotal
        self.tasksChanged = tasksChanged
        self.failure = failure
        self.started = started
        self.updated = updated
        self.spans = spans
    }
}

/// The states an agent can be in; every run ends in `converged` or `failed`.
public enum AgentPhase: String, Codable, Sendable, CaseIterable {
    /// Reads the store.
    case acquiring
    /// Downloads assets.
    case downloading
    /// Runs tasks.
    case converging
    /// Waits for something it can name, with a deadline.
    case waiting
    /// The machine is as declared; protokube stays here and keeps it so.
    case converged
    /// The run ended with a failure; the next run starts by itself.
    case failed
}

/// A failure as a person reads it: one line, and the remedy where it is known.
public struct AgentFailure: Codable, Sendable, Equatable {
    /// A stable identifier, such as `asset-digest-mismatch`.
    public var code: String
    /// What failed, on what, and why, in one line without secrets.
    public var message: String
    /// The remedy; empty when none is known.
    public var hint: String

    /// Makes a failure from its parts.
    public init(code: String, message: String, hint: String = "") {
        self.code = code
        self.message = message
        self.hint = hint
    }
}
