// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
internal import SystemPackage

/// The claims of all tasks, by what is claimed; it turns the rules of ``Claims`` into edges.
struct ClaimIndex {
    /// The tasks that speak of one path, by what they say of it.
    private struct Speakers {
        var owners: [Int] = []
        var carriers: [Int] = []
        var users: [Int] = []
        var reactors: [Int] = []
        var clearers: [Int] = []
        var vacaters: [Int] = []
    }

    /// One task's claims with its paths as numbers.
    private struct Entry {
        var owned: [Int]
        var carried: [Int]
        var used: [Int]
        var reactsTo: [Int]
        var cleared: [Int]
        var vacated: [Int]
        var usedNames: [String]
    }

    private let ids: [TaskID]
    private var paths = PathIndex()
    private var entries: [Entry] = []
    private var speakers: [Speakers] = []
    private var owners: [Claims.Claim: Int] = [:]

    /// Collects claims.
    ///
    /// - Throws: ``Failure`` `claimed-twice`.
    init(_ claims: [(id: TaskID, claims: Claims)]) throws {
        ids = claims.map(\.id)
        entries.reserveCapacity(claims.count)
        for (index, (_, claim)) in claims.enumerated() {
            for owned in claim.owns { try own(owned, index) }
            entries.append(entry(claim))
        }
        for (index, (_, claim)) in claims.enumerated() {
            for case .part(let path, _) in claim.owns {
                if let owner = owners[.path(path)] { throw twice(.path(path), owner, index) }
            }
        }
        speakers = [Speakers](repeating: Speakers(), count: paths.count)
        for index in entries.indices { register(index) }
    }

    private mutating func own(_ claim: Claims.Claim, _ index: Int) throws {
        if let other = owners.updateValue(index, forKey: claim) { throw twice(claim, other, index) }
    }

    private mutating func entry(_ claim: Claims) -> Entry {
        Entry(
            owned: numbers(claim.ownedPaths),
            carried: numbers(claim.carries),
            used: numbers(claim.usedPaths),
            reactsTo: numbers(claim.reactsTo),
            cleared: numbers(claim.clears),
            vacated: numbers(claim.vacates),
            usedNames: claim.uses.compactMap { if case .name(let name) = $0 { name } else { nil } }
        )
    }

    private mutating func numbers(_ list: [FilePath]) -> [Int] { list.map { paths.number(of: $0) } }

    private mutating func register(_ index: Int) {
        let entry = entries[index]
        for path in entry.owned { speakers[path].owners.append(index) }
        for path in entry.carried { speakers[path].carriers.append(index) }
        for path in entry.used { speakers[path].users.append(index) }
        for path in entry.reactsTo { speakers[path].reactors.append(index) }
        for path in entry.cleared { speakers[path].clearers.append(index) }
        for path in entry.vacated { speakers[path].vacaters.append(index) }
    }

    private func twice(_ claim: Claims.Claim, _ first: Int, _ second: Int) -> Failure {
        Failure(
            .permanent,
            code: "claimed-twice",
            "\(ids[first]) and \(ids[second]) both make \(claim), so neither would stay converged",
            hint: "declare it in one of them only"
        )
    }

    /// Adds what comes before what; the same edge may be added several times.
    ///
    /// - Throws: ``Failure`` `claim-contradiction`.
    func addEdges(before: inout [[Int]], followed: inout [[Int]], carriers: inout [[Int]]) throws {
        for index in entries.indices {
            for name in entries[index].usedNames {
                if let owner = owners[.name(name)] { before[index].append(owner) }
            }
            try refuseContradictions(index)
            addUsers(of: index, &before, &followed)
            addWhatIsAbove(index, &before, &carriers)
            addClearers(of: index, &before)
        }
    }

    private func refuseContradictions(_ index: Int) throws {
        for path in entries[index].owned + entries[index].carried {
            for above in paths.lineage(of: path) {
                guard let clearer = speakers[above].clearers.first(where: { $0 != index }) else { continue }
                throw Failure(
                    .permanent,
                    code: "claim-contradiction",
                    "\(ids[clearer]) removes \(paths.path(above)), where \(ids[index]) makes \(paths.path(path))",
                    hint: "keep one of the two, or move what is made out of the path that is removed"
                )
            }
        }
    }

    /// The edges to those that use what this task makes, or something below it.
    private func addUsers(of index: Int, _ before: inout [[Int]], _ followed: inout [[Int]]) {
        let entry = entries[index]
        for path in entry.owned + entry.cleared + entry.carried {
            for used in paths.lineage(of: path) {
                for user in speakers[used].users where user != index { before[user].append(index) }
                for reactor in speakers[used].reactors where reactor != index {
                    before[reactor].append(index)
                    followed[reactor].append(index)
                }
            }
        }
    }

    /// The edges from those that own or carry a path above this task's, or carry or vacate the same.
    private func addWhatIsAbove(_ index: Int, _ before: inout [[Int]], _ carriers: inout [[Int]]) {
        let entry = entries[index]
        for path in entry.owned + entry.carried + entry.used + entry.reactsTo + entry.cleared {
            for above in paths.ancestors(of: path) {
                before[index] += speakers[above].owners
                before[index] += speakers[above].carriers
                carriers[index] += speakers[above].carriers
            }
        }
        for path in entry.owned + entry.cleared {
            before[index] += speakers[path].carriers
            before[index] += speakers[path].vacaters
            carriers[index] += speakers[path].carriers
        }
    }

    /// The edges to those that clear a path above one this task clears or vacates.
    private func addClearers(of index: Int, _ before: inout [[Int]]) {
        for path in entries[index].cleared + entries[index].vacated {
            for above in paths.ancestors(of: path) {
                for clearer in speakers[above].clearers { before[clearer].append(index) }
            }
        }
    }
}
