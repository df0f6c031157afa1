// SPDX-License-Identifier: Apache-2.0
internal import NodeOS

extension TaskGraph {
    /// What comes before what, by declared position; ascending, each once.
    struct Edges {
        var before: [[Int]]
        var followed: [[Int]]
        var carriers: [[Int]]

        init(count: Int) {
            let none = [[Int]](repeating: [], count: count)
            before = none
            followed = none
            carriers = none
        }

        /// Sorts, and drops what several rules said, and that something comes before itself.
        mutating func tidy() {
            Self.tidy(&before)
            Self.tidy(&followed)
            Self.tidy(&carriers)
        }

        private static func tidy(_ lists: inout [[Int]]) {
            for index in lists.indices where !lists[index].isEmpty {
                let sorted = lists[index].sorted()
                var kept: [Int] = []
                for place in sorted where place != index && place != kept.last { kept.append(place) }
                lists[index] = kept
            }
        }
    }

    static func edges(_ tasks: [Item]) throws -> Edges {
        var edges = Edges(count: tasks.count)
        let positions = try positions(tasks)
        let claims = try ClaimIndex(tasks.map { ($0.id, $0.claims) })
        try claims.addEdges(before: &edges.before, followed: &edges.followed, carriers: &edges.carriers)
        try addDeclared(tasks, positions, to: &edges)
        edges.tidy()
        return edges
    }

    /// Where each task stands, once no two have one name.
    private static func positions(_ tasks: [Item]) throws -> [TaskID: Int] {
        var positions: [TaskID: Int] = [:]
        positions.reserveCapacity(tasks.count)
        for (index, task) in tasks.enumerated() {
            guard positions.updateValue(index, forKey: task.id) == nil else {
                throw Failure(
                    .permanent,
                    code: "duplicate-task",
                    "two tasks are named \(task.id)",
                    hint: "give one of them another id, or declare it once"
                )
            }
        }
        return positions
    }

    private static func addDeclared(_ tasks: [Item], _ positions: [TaskID: Int], to edges: inout Edges) throws {
        for (index, task) in tasks.enumerated() {
            for name in task.after + task.follows {
                guard let position = positions[name] else {
                    throw Failure(
                        .permanent,
                        code: "unknown-task",
                        "\(task.id) comes after \(name), which is no task",
                        hint: "declare \(name), or correct the name in after or restartOn of \(task.id)"
                    )
                }
                guard position != index else { throw Self.cycle([name.name, name.name]) }
                edges.before[index].append(position)
            }
            for name in task.follows {
                if let position = positions[name] { edges.followed[index].append(position) }
            }
        }
    }
}
