// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
internal import SystemPackage

extension TaskGraph {
    /// What comes before what, by declared position.
    struct Edges {
        var before: [Set<Int>]
        var followed: [Set<Int>]
        var carriers: [Set<Int>]
    }

    static func edges(_ tasks: [Item]) throws -> Edges {
        let none = [Set<Int>](repeating: [], count: tasks.count)
        var edges = Edges(before: none, followed: none, carriers: none)
        let claims = try checked(tasks)
        try claims.addEdges(before: &edges.before, followed: &edges.followed, carriers: &edges.carriers)
        try addDeclared(tasks, to: &edges)
        return edges
    }

    /// The claims, once no two tasks have one name.
    private static func checked(_ tasks: [Item]) throws -> ClaimIndex {
        var seen: Set<TaskID> = []
        for task in tasks where !seen.insert(task.id).inserted {
            throw Failure(
                .permanent,
                code: "duplicate-task",
                "two tasks are named \(task.id)",
                hint: "give one of them another id, or declare it once"
            )
        }
        return try ClaimIndex(tasks.map { ($0.id, $0.claims) })
    }

    private static func addDeclared(_ tasks: [Item], to edges: inout Edges) throws {
        let positions = Dictionary(uniqueKeysWithValues: tasks.enumerated().map { ($1.id, $0) })
        for (index, task) in tasks.enumerated() {
            for name in task.after + task.follows {
                guard let position = positions[name] else {
                    throw Failure(.permanent, code: "unknown-task", "\(task.id) comes after \(name), which is no task")
                }
                edges.before[index].insert(position)
            }
            for name in task.follows {
                if let position = positions[name] { edges.followed[index].insert(position) }
            }
        }
    }
}

/// The claims of all tasks, by what is claimed.
private struct ClaimIndex {
    let claims: [(id: TaskID, claims: Claims)]
    private var owners: [Claims.Claim: Int] = [:]
    private var pathOwners: [FilePath: [Int]] = [:]
    private var carriers: [FilePath: [Int]] = [:]
    private var users: [FilePath: [Int]] = [:]
    private var clearers: [FilePath: [Int]] = [:]
    private var vacaters: [FilePath: [Int]] = [:]

    init(_ claims: [(id: TaskID, claims: Claims)]) throws {
        self.claims = claims
        for (index, (_, claim)) in claims.enumerated() {
            for owned in claim.owns { try own(owned, index) }
            for path in Set(claim.ownedPaths) { pathOwners[path, default: []].append(index) }
            for path in claim.carries { carriers[path, default: []].append(index) }
            for path in claim.usedPaths + claim.reactsTo { users[path, default: []].append(index) }
            for path in claim.clears { clearers[path, default: []].append(index) }
            for path in claim.vacates { vacaters[path, default: []].append(index) }
        }
        for (index, (_, claim)) in claims.enumerated() {
            for case .part(let path, _) in claim.owns {
                if let owner = owners[.path(path)] { throw twice(.path(path), owner, index) }
            }
        }
    }

    private mutating func own(_ claim: Claims.Claim, _ index: Int) throws {
        if let other = owners.updateValue(index, forKey: claim) { throw twice(claim, other, index) }
    }

    private func twice(_ claim: Claims.Claim, _ first: Int, _ second: Int) -> Failure {
        Failure(
            .permanent,
            code: "claimed-twice",
            "\(claims[first].id) and \(claims[second].id) both make \(claim), so neither would stay converged"
        )
    }

    func addEdges(before: inout [Set<Int>], followed: inout [Set<Int>], carriers carried: inout [Set<Int>]) throws {
        for (index, (_, claim)) in claims.enumerated() {
            for case .name(let name) in claim.uses {
                if let owner = owners[.name(name)] { before[index].insert(owner) }
            }
            try addOwnedPaths(of: index, &before, &followed)
            for path in claim.ownedPaths + claim.carries + claim.usedPaths + claim.reactsTo + claim.clears {
                for above in path.ancestors {
                    before[index].formUnion((pathOwners[above] ?? []) + (carriers[above] ?? []))
                    carried[index].formUnion(carriers[above] ?? [])
                }
            }
            for path in claim.ownedPaths + claim.clears {
                let same = (carriers[path] ?? []) + (vacaters[path] ?? [])
                before[index].formUnion(same)
                carried[index].formUnion(carriers[path] ?? [])
            }
            for path in claim.clears + claim.vacates {
                for above in path.ancestors {
                    for clearer in clearers[above] ?? [] { before[clearer].insert(index) }
                }
            }
            before[index].remove(index)
            carried[index].remove(index)
        }
    }

    /// The edges to those that use what this task makes, or something below it.
    private func addOwnedPaths(of index: Int, _ before: inout [Set<Int>], _ followed: inout [Set<Int>]) throws {
        let claim = claims[index].claims
        for path in claim.ownedPaths + claim.carries {
            for above in [path] + path.ancestors {
                guard let clearer = clearers[above]?.first(where: { $0 != index }) else { continue }
                throw Failure(
                    .permanent,
                    code: "claim-contradiction",
                    "\(claims[clearer].id) removes \(above), where \(claims[index].id) makes \(path)"
                )
            }
        }
        for path in claim.ownedPaths + claim.clears + claim.carries {
            for used in [path] + path.ancestors {
                for user in users[used] ?? [] where user != index {
                    before[user].insert(index)
                    if claims[user].claims.reactsTo.contains(used) { followed[user].insert(index) }
                }
            }
        }
    }
}

extension FilePath {
    /// The directories above, nearest first, with the root last.
    var ancestors: [FilePath] {
        var result: [FilePath] = []
        var path = self
        while path.removeLastComponent() { result.append(path) }
        return result
    }
}
