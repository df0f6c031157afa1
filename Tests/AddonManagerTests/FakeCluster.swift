// SPDX-License-Identifier: Apache-2.0
import AddonManager
import KopsModel
import Synchronization

/// An API server that keeps what is applied, and fails as it is told.
actor FakeCluster: AddonTarget {
    private(set) var applied: [String] = []
    private var objects: [String: JSONValue] = [:]
    private var version = 0
    private var failures: [String: [AddonError]] = [:]
    private var permanent: Set<String> = []

    func fail(_ name: String, with errors: [AddonError]) { failures[name] = errors }
    func refuse(_ name: String) { permanent.insert(name) }
    func accept(_ name: String) { permanent.remove(name) }

    func current(_ object: JSONValue) throws -> JSONValue? { objects[Self.key(object)] }

    func apply(_ object: JSONValue, fieldManager: String) throws -> JSONValue {
        let name = object["metadata"]?["name"]?.string ?? ""
        if permanent.contains(name) { throw AddonError.permanent("refused") }
        if var left = failures[name], !left.isEmpty {
            let error = left.removeFirst()
            failures[name] = left
            throw error
        }
        applied.append(Self.key(object))
        version += 1
        var stored = object
        stored["metadata"]?["resourceVersion"] = .string("\(version)")
        stored["status"] = ["observed": .int(version)]
        objects[Self.key(object)] = stored
        return stored
    }

    func drop(_ key: String) { objects[key] = nil }

    static func key(_ object: JSONValue) -> String {
        "\(object["kind"]?.string ?? "?")/\(object["metadata"]?["name"]?.string ?? "?")"
    }
}

/// A clock whose sleeps take no time and are counted.
final class JumpingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let state = Mutex((now: Instant(offset: .zero), sleeps: [Duration]()))
    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .zero }
    var sleeps: [Duration] { state.withLock { $0.sleeps } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock {
            $0.sleeps.append($0.now.duration(to: deadline))
            $0.now = max($0.now, deadline)
        }
    }
}
