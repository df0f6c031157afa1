// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
import NodeOS

/// Backups that operators ask for, and the machine that leads takes.
public struct RequestedBackups: Sendable {
    private let registers: any Registers
    private let attempts: BackupAttempts
    private let now: @Sendable () -> Date

    /// Makes the requests of the etcd cluster that the registers are of; `attempts` outlives them.
    public init(
        registers: any Registers,
        attempts: BackupAttempts = BackupAttempts(),
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.registers = registers
        self.attempts = attempts
        self.now = now
    }

    /// Asks for a backup.
    ///
    /// - Returns: The request's number; it is answered once ``BackupRequest/answered`` has come that far.
    /// - Throws: ``RegisterError``.
    public func ask() async throws -> Int {
        try await registers.change(.backupRequest) { request in
            request = request ?? BackupRequest()
            request?.asked += 1
        }?.asked ?? 0
    }

    /// Takes a backup if one is asked for; call it every few seconds, on the leader only.
    ///
    /// One that has failed is taken again after ever longer pauses, and at once where somebody asks anew.
    ///
    /// - Parameter take: Takes a backup now, for the reason that its record is to show.
    /// - Returns: The backup; `nil` when nobody waits for one.
    /// - Throws: ``RegisterError`` and as `take` does; the request stays and says why.
    public func answer(_ take: (BackupReason) async throws -> BackupName) async throws -> BackupName? {
        // What is asked for from here on may not be in the snapshot, and is answered by the next.
        guard let request = try await registers.read(.backupRequest)?.value, request.isOpen else { return nil }
        do {
            let name = try await attempts.run(
                .asked(request.asked),
                pausingAtMost: BackupPolicy.standard.interval,
                now: now
            ) { try await take(.asked(request.asked)) }
            try await registers.change(.backupRequest) { found in
                guard let latest = found, latest.answered < request.asked else { return }
                found = BackupRequest(asked: latest.asked, answered: request.asked, backup: name)
            }
            return name
        } catch {
            guard !(error is CancellationError), !(error is RegisterError) else { throw error }
            let trouble = (error as? Failure)?.chain ?? "\(error)"
            _ = try? await registers.change(.backupRequest) { $0?.trouble = trouble }
            throw error
        }
    }
}

extension Registers {
    /// Changes what a slot holds, and tries again while others change it too.
    ///
    /// - Returns: What it holds then.
    /// - Throws: ``RegisterError``; a conflict where there was no end of them.
    @discardableResult
    func change<Value>(_ slot: Slot<Value>, _ edit: (inout Value?) -> Void) async throws -> Value? {
        for _ in 0..<20 {
            let held = try await read(slot)
            var value = held?.value
            edit(&value)
            guard let value, value != held?.value else { return held?.value }
            do {
                try await write(value, to: slot, replacing: held?.version)
                return value
            } catch RegisterError.conflict {}
        }
        throw RegisterError.conflict(path: slot.path)
    }
}
