// SPDX-License-Identifier: Apache-2.0
internal import HeapModule

/// Which tasks may run now: those whose dependencies have converged and whose lane is free, the first in order first.
struct Schedule {
    private var missing: [Int]
    private var isLost: [Bool]
    private let dependants: [[Int]]
    /// What is ready and has no lane.
    private var free: Heap<Int>
    /// What is ready, by lane.
    private var waiting: [String: Heap<Int>] = [:]
    private var busy: Set<String> = []
    private let lanes: [String?]
    private let mergers: [ObjectIdentifier?]

    init(dependencies: [[Int]], lanes: [String?], mergers: [ObjectIdentifier?]) {
        missing = dependencies.map(\.count)
        isLost = [Bool](repeating: false, count: dependencies.count)
        var dependants = [[Int]](repeating: [], count: dependencies.count)
        for (place, list) in dependencies.enumerated() {
            for dependency in list { dependants[dependency].append(place) }
        }
        self.dependants = dependants
        self.lanes = lanes
        self.mergers = mergers
        free = []
        for place in dependencies.indices where missing[place] == 0 { add(place) }
    }

    private mutating func add(_ place: Int) {
        if let lane = lanes[place] {
            waiting[lane, default: []].insert(place)
        } else {
            free.insert(place)
        }
    }

    /// The first task whose lane is free, with all that can be merged with it.
    mutating func next() -> [Int]? {
        let lane = waiting.filter { !busy.contains($0.key) && !$0.value.isEmpty }
            .min { ($0.value.min ?? .max) < ($1.value.min ?? .max) }
        if let first = free.min, lane.map({ first < $0.value.min ?? .max }) ?? true {
            return free.popMin().map { [$0] }
        }
        guard let lane, let first = lane.value.min else { return nil }
        busy.insert(lane.key)
        return take(from: lane.key, first)
    }

    private mutating func take(from lane: String, _ first: Int) -> [Int] {
        guard let merger = mergers[first] else {
            _ = waiting[lane]?.popMin()
            return [first]
        }
        let ready = (waiting[lane]?.unordered ?? []).sorted()
        waiting[lane] = Heap(ready.filter { mergers[$0] != merger })
        return ready.filter { mergers[$0] == merger }
    }

    /// Frees the task's lane and what waited for it; after a failure, gives what will never be reached instead.
    mutating func finish(_ place: Int, succeeded: Bool) -> [Int] {
        if let lane = lanes[place] { busy.remove(lane) }
        guard succeeded else { return lose(place) }
        for dependant in dependants[place] {
            missing[dependant] -= 1
            if missing[dependant] == 0, !isLost[dependant] { add(dependant) }
        }
        return []
    }

    /// Each task is lost once, however many of those it needs fail.
    private mutating func lose(_ place: Int) -> [Int] {
        var lost: [Int] = []
        var stack = dependants[place]
        while let next = stack.popLast() {
            guard !isLost[next] else { continue }
            isLost[next] = true
            lost.append(next)
            stack += dependants[next]
        }
        return lost.sorted()
    }
}
