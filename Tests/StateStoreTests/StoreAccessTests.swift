// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeTesting
import Testing

@testable import StateStore

/// What machines may do in a store, for any key at all.
@Suite struct StoreAccessTests {
    private static let layout = ClusterLayout(clusterName: "a.example.com")
    private static let group = "workers"
    private static let instance = "workers-1"

    private static func access(_ role: InstanceRole) -> StoreAccess {
        StoreAccess(of: role, in: layout, group: group, instance: instance)
    }

    /// Keys like those of a cluster, and of what is beside it.
    private static func keys(_ random: inout Seeded, below prefix: [String]? = nil) throws -> [StoreKey] {
        let words = [
            "a.example.com", "b.example.com", "head", "generations", "1", "objects", "manifest.json", "nodes", "spec",
            "workers.json", "others.json", "addons", "assets.lock.json", "private", "node", "control-plane", "admin",
            "keyring.json", "status", "workers-1", "workers-2", "workers-10", "nodeup.json", "discovery", "api.json",
            "etcd", "main", "backups", "identity.json", "pki", "signing.json", "*", "**", "kopslite-store.json",
        ]
        return try (0..<100).map { _ in
            let start = prefix ?? (Int.random(in: 0..<4, using: &random) > 0 ? ["a.example.com"] : [])
            let more = (0..<Int.random(in: 1...5, using: &random)).map { _ in words.randomElement(using: &random) ?? ""
            }
            return try StoreKey(parts: start + more)
        }
    }

    private static func verbs(_ access: StoreAccess, _ key: StoreKey) -> Set<StoreAccess.Verb> {
        Set(StoreAccess.Verb.allCases.filter { access.allows($0, key) })
    }

    /// Nothing else is ever written: what a machine may write is of no use to another that trusts it.
    @Test(arguments: Seeded.seeds(20)) func aMachineWritesOnlyWhereItReports(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let own = try Self.layout.statuses(on: Self.instance).parts
        let etcd = try Self.layout.key("etcd").parts
        for key in try Self.keys(&random) + Self.keys(&random, below: ["a.example.com", "status"]) {
            let isOwn = key.parts.count > own.count && key.parts.starts(with: own)
            #expect(Self.access(.node).allows(.write, key) == isOwn, "\(random): \(key)")
            let isShared = try key == Self.layout.endpoints() || key.parts.starts(with: etcd)
            guard Self.access(.controlPlane).allows(.write, key) else { continue }
            #expect(isOwn || isShared, "\(random): \(key)")
        }
    }

    /// What fences etcd's data is never taken away by a machine, only what was kept beside it.
    @Test(arguments: Seeded.seeds(20)) func aMachineRemovesOnlyBackups(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let etcd = try Self.layout.key("etcd").parts
        for key in try Self.keys(&random) + Self.keys(&random, below: etcd) {
            #expect(!Self.access(.node).allows(.remove, key), "\(random): \(key)")
            let isBackup = key.parts.count > 4 && key.parts.starts(with: etcd) && key.parts[3] == "backups"
            #expect(Self.access(.controlPlane).allows(.remove, key) == isBackup, "\(random): \(key)")
        }
    }

    @Test(arguments: Seeded.seeds(20)) func aWorkerHasNoBusinessElsewhere(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let others = [
            ["a.example.com", "private", "control-plane"], ["a.example.com", "private", "admin"],
            ["a.example.com", "spec"], ["a.example.com", "generations", "1", "objects", "spec"],
            ["a.example.com", "etcd"], ["a.example.com", "pki"], ["a.example.com", "status", "workers-2"],
            ["a.example.com", "status", "workers-10"], ["b.example.com"],
        ]
        for prefix in others {
            for key in try [StoreKey(parts: prefix)] + Self.keys(&random, below: prefix) {
                #expect(Self.verbs(Self.access(.node), key) == [], "\(random): \(key)")
                // A whole role's permission reaches all of its machines' reports, and is no wider elsewhere.
                let role = Self.verbs(StoreAccess(of: .node, in: Self.layout), key)
                #expect(role == [] || role == [.write] && prefix[1] == "status", "\(random): \(key)")
            }
        }
    }

    @Test(arguments: Seeded.seeds(20)) func theControlPlaneHasNoBusinessWithOperators(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let others = [
            ["a.example.com", "private", "admin"], ["a.example.com", "spec"],
            ["a.example.com", "generations", "1", "objects", "spec"], ["b.example.com"],
        ]
        for prefix in others {
            for key in try [StoreKey(parts: prefix)] + Self.keys(&random, below: prefix) {
                #expect(Self.verbs(Self.access(.controlPlane), key) == [], "\(random): \(key)")
                #expect(Self.verbs(StoreAccess(of: .controlPlane, in: Self.layout), key) == [], "\(random): \(key)")
            }
        }
    }

    /// Naming the group and the machine only ever takes away, and a cluster's names are no patterns.
    @Test(arguments: Seeded.seeds(20)) func narrowingOnlyTakesAway(_ seed: UInt64) throws {
        var random = Seeded(seed)
        for role in InstanceRole.allCases {
            let wide = StoreAccess(of: role, in: Self.layout)
            let other = StoreAccess(of: role, in: Self.layout, group: "others", instance: "others-1")
            for key in try Self.keys(&random) {
                let narrow = Self.verbs(Self.access(role), key)
                #expect(narrow.isSubset(of: Self.verbs(wide, key)), "\(random): \(key)")
                // What two machines of different groups share, no machine's name is in.
                let shared = narrow.intersection(Self.verbs(other, key))
                #expect(shared.isEmpty || !key.parts.starts(with: ["a.example.com", "status"]), "\(random): \(key)")
            }
        }
    }

    /// A list shows just what may be read one by one.
    @Test(arguments: Seeded.seeds(20)) func whatIsListedIsAllowed(_ seed: UInt64) throws {
        var random = Seeded(seed)
        for prefix in try Self.keys(&random) + [StoreKey(parts: []), Self.layout.root()] {
            #expect(!Self.access(.node).allowsList(prefix), "\(random): \(prefix)")
            guard Self.access(.controlPlane).allowsList(prefix) else { continue }
            for key in try Self.keys(&random, below: prefix.parts).prefix(20) {
                #expect(Self.access(.controlPlane).allows(.list, key), "\(random): \(key)")
                #expect(Self.access(.controlPlane).allows(.read, key), "\(random): \(key)")
            }
        }
        #expect(try Self.access(.controlPlane).allowsList(Self.layout.key("etcd")))
        #expect(try Self.access(.controlPlane).allowsList(Self.layout.key("etcd", "main")))
    }
}
