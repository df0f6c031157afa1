// SPDX-License-Identifier: Apache-2.0

/// One step of a migration for a person, who reads what was done, what is next, and how to go back.
public struct MigrationRun: Sendable {
    /// What is asked for.
    public enum Step: Sendable, CaseIterable {
        case copy
        case switchOver
        case rollBack
    }

    private let migration: EtcdMigration
    private let say: @Sendable (String) -> Void

    /// Makes a run that says one line at a time.
    public init(migration: EtcdMigration, say: @escaping @Sendable (String) -> Void) {
        self.migration = migration
        self.say = say
    }

    /// Carries a step out, from wherever the migration is.
    ///
    /// - Throws: As ``EtcdMigration`` does.
    public func carryOut(_ step: Step) async throws {
        let before = try await migration.record.read()
        if let before {
            say("cluster \(String(before.clusterID, radix: 16)): goes on, it was \(before.phase.rawValue)")
        }
        switch step {
        case .copy: tell(try await migration.run())
        case .switchOver:
            try await migration.switchOver()
            if let state = try await migration.record.read() { tell(state) }
        case .rollBack:
            guard before != nil else { return say("there is no migration to undo") }
            try await migration.rollBack()
            say("undone: version 3 is as empty as before, and version 2 as it was")
        }
    }

    private func tell(_ state: MigrationState) {
        guard state.phase != .switched else {
            say("switched: version 3 counts, with \(state.keys) keys at the last comparison; restart whatever uses it")
            return say("there is no way back but a backup from before; nobody may write version 2 any more")
        }
        say("\(state.keys) keys are copied and equal, up to change \(state.index) of version 2")
        say("next: stop whatever writes version 2, then run this with --switch")
        say("to go back: run this with --rollback; version 2 has only been read")
    }
}
