// SPDX-License-Identifier: Apache-2.0

/// What some clouds let an operator do to single machines.
public protocol MachineControl: Cloud {
    /// Shuts a machine down and waits for its end. A machine that does not run is no error.
    func stop(machine: String, of clusterName: String) async throws
    /// Starts a machine that exists. A machine that runs is no error.
    func start(machine: String, of clusterName: String) async throws
    /// Removes a machine; its volumes stay.
    func deleteMachine(_ machine: String, of clusterName: String) async throws
    /// Runs a program inside a machine, without a shell between.
    func execute(_ arguments: [String], in machine: String, of clusterName: String) async throws -> Execution
    /// What a machine has written to its console.
    func console(of machine: String, of clusterName: String) async throws -> [UInt8]
}

/// How a program inside a machine ended.
public struct Execution: Sendable, Equatable {
    /// The exit status; 128 and the signal's number when a signal ended it.
    public var status: Int
    /// What it wrote to standard output.
    public var standardOutput: [UInt8]
    /// What it wrote to standard error.
    public var standardError: [UInt8]

    /// Makes an end from its parts.
    public init(status: Int, standardOutput: [UInt8] = [], standardError: [UInt8] = []) {
        self.status = status
        self.standardOutput = standardOutput
        self.standardError = standardError
    }
}
