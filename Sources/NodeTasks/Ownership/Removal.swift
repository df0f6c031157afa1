// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS
internal import SystemPackage

/// The tasks that remove what a list created and no longer declares.
enum Removal {
    /// What names a task's object in an ownership record: its kind and the members that name it, as JSON.
    ///
    /// `nil` for what a run never undoes, and for what is declared absent.
    static func key(of task: any NodeTask) -> String? {
        guard let task = task as? any DeclaredTask, task.ensure == .present, let naming = task.naming else {
            return nil
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode([type(of: task).kind: naming]) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    /// The tasks that remove objects, without those that somebody else needs.
    ///
    /// - Parameters:
    ///   - keys: What to remove.
    ///   - kept: The list as it is now: what it makes or uses is not removed, whatever kind made it before.
    /// - Returns: The tasks, each with its key.
    /// - Throws: ``Failure`` for a key that names nothing that can be absent.
    static func tasks(_ keys: [String], sparing kept: [any NodeTask]) throws -> [(key: String, task: any NodeTask)] {
        let needs = Needs(of: kept)
        let removals = try keys.compactMap { key in try task(key).map { (key: key, task: $0) } }
            .filter { !needs.conflict(with: $0.task) }
        let paths = Set(removals.flatMap(\.task.claims.clears))
        return removals.map { key, task in
            guard var directory = task as? DirectoryTask else { return (key, task) }
            directory.expendable = paths
            return (key, directory)
        }
    }

    /// The task that removes one object; `nil` for a key of a kind this nodeup does not know.
    static func task(_ key: String) throws -> (any NodeTask)? {
        guard let object = try? JSONDecoder().decode([String: [String: String]].self, from: Data(key.utf8)),
            let (kind, naming) = object.first, object.count == 1, TasksFile.kinds[kind] != nil
        else { return nil }
        let absent = naming.merging(["ensure": "absent"]) { $1 }
        let bytes = try JSONEncoder().encode(["tasks": [[kind: absent]]])
        guard var task = try TasksFile.parse([UInt8](bytes), name: "ownership record").first as? any DeclaredTask else {
            return nil
        }
        task.id = TaskID("prune:\(task.id)")
        return task
    }
}

/// What a list makes or uses.
private struct Needs {
    private let names: Set<Claims.Claim>
    private let paths: [FilePath]

    init(of tasks: [any NodeTask]) {
        let claims = tasks.map(\.claims)
        names = Set(claims.flatMap { $0.owns + $0.uses })
        paths = claims.flatMap { $0.ownedPaths + $0.usedPaths + $0.carries }
    }

    /// Whether removing something would take away what is needed; of a directory only what is expendable goes.
    func conflict(with removal: any NodeTask) -> Bool {
        if removal.claims.owns.contains(where: { names.contains($0) }) { return true }
        return (removal.claims.clears + removal.claims.vacates).contains { path in
            paths.contains { removal is DirectoryTask ? $0 == path : $0.starts(with: path) }
        }
    }
}
