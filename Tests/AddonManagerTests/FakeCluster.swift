// SPDX-License-Identifier: Apache-2.0
import AddonManager
import KopsModel

/// An API server that keeps what is applied, and fails as it is told.
actor FakeCluster: AddonTarget {
    private(set) var applied: [String] = []
    private var objects: [String: JSONValue] = [:]
    private var failures: [String: [AddonError]] = [:]
    private var permanent: Set<String> = []

    func fail(_ name: String, with errors: [AddonError]) { failures[name] = errors }
    func refuse(_ name: String) { permanent.insert(name) }
    func accept(_ name: String) { permanent.remove(name) }

    func apply(_ object: JSONValue) throws -> Bool {
        let name = object["metadata"]?["name"]?.string ?? ""
        if permanent.contains(name) { throw AddonError.permanent("refused") }
        if var left = failures[name], !left.isEmpty {
            let error = left.removeFirst()
            failures[name] = left
            throw error
        }
        applied.append(Self.key(object))
        defer { objects[Self.key(object)] = object }
        return objects[Self.key(object)] != object
    }

    func drop(_ key: String) { objects[key] = nil }

    static func key(_ object: JSONValue) -> String {
        "\(object["kind"]?.string ?? "?")/\(object["metadata"]?["name"]?.string ?? "?")"
    }
}
