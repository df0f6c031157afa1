// SPDX-License-Identifier: Apache-2.0
internal import Crypto
public import NodeOS
internal import SystemPackage

/// What a crashed ``FakeNode`` throws, at the write at which it crashed and at everything after it.
public struct FakeCrash: Error, Equatable, CustomStringConvertible {
    /// How many writes had happened.
    public let writes: Int
    /// The count.
    public var description: String { "the machine crashed after write \(writes)" }
}

/// A machine in memory: the same answers as a real one, without root.
///
/// It records every effect, crashes where it is told to, and fails as it is told to. An archive is text, one line
/// `path<TAB>contents` for each file; an image archive is any file.
public actor FakeNode: NodeWriter {
    /// One effect, as `<operation> <object>`.
    public private(set) var effects: [String] = []
    /// What the machine is now.
    public internal(set) var machine: FakeMachine
    private var crashAfter: Int?
    private var isCrashed = false
    private var writes = 0
    private var faults: [String: [any Error]] = [:]

    /// Makes a machine.
    public init(_ machine: FakeMachine = FakeMachine()) { self.machine = machine }

    /// Changes the machine from outside, unrecorded.
    public func change(_ body: @Sendable (inout FakeMachine) -> Void) { body(&machine) }

    /// Crashes right after the n-th write from now; 0 crashes at the next one, before its effect.
    public func crash(afterWrite count: Int) {
        crashAfter = count
        writes = 0
    }

    /// Whether it crashed.
    public func hasCrashed() -> Bool { isCrashed }

    /// Takes the machine up again as it was left, as after a killed process.
    public func revive() {
        isCrashed = false
        crashAfter = nil
    }

    /// Boots: `/run` is empty, mounts are gone, enabled units run.
    public func reboot() {
        revive()
        machine.boot += 1
        machine.files = machine.files.filter { !$0.key.starts(with: "/run") }
        machine.mounts.removeLast(machine.mounts.count - 1)
        for name in machine.units.keys.sorted() {
            machine.units[name]?.isActive = false
            load(name)
            if machine.units[name]?.isEnabled == true { start(name) }
        }
    }

    /// Makes the next calls of an operation, such as `installPackages`, throw these errors, one each.
    public func fail(_ operation: String, with errors: [any Error]) { faults[operation, default: []] += errors }

    /// Forgets the effects recorded so far.
    public func forgetEffects() { effects = [] }

    /// Runs a write: counted, recorded, and crashed around where that is wanted.
    func write(_ operation: String, _ object: String, _ effect: () throws -> Void) throws {
        try alive()
        if crashAfter == 0 { throw crashNow() }
        try fault(operation)
        try effect()
        writes += 1
        effects.append("\(operation) \(object)")
        if writes == crashAfter { throw crashNow() }
    }

    /// Crashes in the middle of a write, when the crash is due right after it.
    func tear(_ torn: () -> Void) throws {
        guard writes + 1 == crashAfter, !isCrashed else { return }
        torn()
        throw crashNow()
    }

    /// Refuses reads after a crash, and where a fault is injected.
    func read(_ operation: String) throws {
        try alive()
        try fault(operation)
    }

    func start(_ name: String) {
        machine.units[name]?.isActive = true
        if machine.units[name]?.loaded == nil { load(name) }
        let inputs = machine.inputs(of: name)
        machine.units[name]?.startedWith = inputs
    }

    func load(_ name: String) {
        let definition = machine.definition(of: name)
        machine.units[name]?.loaded = definition
    }

    private func crashNow() -> FakeCrash {
        isCrashed = true
        return FakeCrash(writes: writes)
    }

    private func alive() throws {
        if isCrashed { throw FakeCrash(writes: writes) }
    }

    private func fault(_ operation: String) throws {
        guard let error = faults[operation]?.first else { return }
        faults[operation]?.removeFirst()
        throw error
    }

    static func hex(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func missing(_ path: FilePath) -> Failure {
        Failure(.permanent, code: "not-found", "read \(path): there is no such file")
    }
}
