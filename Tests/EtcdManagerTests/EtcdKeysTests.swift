// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Testing

/// Keys, leases and upkeep of real clusters through the gateway.
@Suite(.serialized, .enabled(if: EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"), .timeLimit(.minutes(3)))
struct EtcdKeysTests {
    @Test(arguments: EtcdBinaries.minors) func keysAreWrittenAndRead(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 1) { cluster in
            let (gateway, a) = (cluster.gateway, cluster.endpoint("a"))
            // Any byte is a key's or a value's.
            let odd: [UInt8] = [0xFF, 0, 0x22, 0x5C, 0x0A]
            try await gateway.put(odd, odd.reversed(), at: a)
            try await gateway.put([1], [], at: a)
            let page = try await gateway.range(EtcdRange(key: odd), at: a)
            #expect(page.pairs.map(\.value) == [odd.reversed()])
            #expect(try await gateway.range(EtcdRange(key: [1]), at: a).pairs.map(\.value) == [[]])
            #expect(try await gateway.range(EtcdRange(key: [2]), at: a).pairs.isEmpty)

            let first = try await fill(250, gateway, a)
            var all = EtcdRange.prefix("/registry/")
            all.isCountOnly = true
            let counted = try await gateway.range(all, at: a)
            #expect(counted.count == 250 && counted.pairs.isEmpty)

            // Pages belong together: what is written meanwhile is not in them.
            var keys: [[UInt8]] = []
            let revision = try await gateway.pages(.prefix("/registry/"), of: 100, at: a) { page in
                keys += page.pairs.map(\.key)
            }
            #expect(keys.count == 250 && keys == keys.sorted { $0.lexicographicallyPrecedes($1) })
            #expect(revision == first)
            try await gateway.put(key(3), [9], at: a)
            var then = EtcdRange(key: key(3))
            then.revision = revision
            #expect(try await gateway.range(then, at: a).pairs.map(\.value) == [[3]])

            #expect(try await gateway.deletePrefix(Array("/registry/".utf8), at: a) == 250)
            #expect(try await gateway.range(.all, at: a).count == 2)
            #expect(try await gateway.deletePrefix([], at: a) == 2)
            #expect(try await gateway.range(.all, at: a).count == 0)

            try await gateway.compact(to: revision + 1, at: a)
            try await expectRejected { _ = try await gateway.range(then, at: a) }
            try await expectRejected { try await gateway.compact(to: revision, at: a) }
        }
    }

    /// After a restore nobody is led to API servers of before, and nothing else is forgotten.
    @Test(arguments: EtcdBinaries.minors) func onlyStaleLeasesAreCleared(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 1) { cluster in
            let (gateway, a) = (cluster.gateway, cluster.endpoint("a"))
            let stale = ["10.0.0.1", "10.0.0.2", ""].map { "/registry/masterleases/\($0)" }
            let others = [
                "/registry/masterleases", "/registry/masterleases0", "/registry/masterlease/x", "/registry/pods/a/b",
                "/registry/leases/kube-system/masterleases/x", "registry/masterleases/x", "/",
            ]
            for name in stale + others { try await gateway.put(Array(name.utf8), [1], at: a) }
            #expect(try await gateway.clearStaleLeases(at: a) == Int64(stale.count))
            let left = try await gateway.range(.all, at: a).pairs.map { String(decoding: $0.key, as: UTF8.self) }
            #expect(Set(left) == Set(others) && left.count == others.count)
            #expect(try await gateway.clearStaleLeases(at: a) == 0)
        }
    }

    @Test func pagesGetShorterWhereValuesAreLarge() async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: 5), members: 1) { cluster in
            let (gateway, a) = (cluster.gateway, cluster.endpoint("a"))
            let value = [UInt8](repeating: 1, count: 1_400_000)
            for n in 0..<40 { try await gateway.put(key(n), value, at: a) }
            var keys: [[UInt8]] = []
            try await gateway.pages(.all, at: a) { page in
                for pair in page.pairs where pair.value.count == value.count { keys.append(pair.key) }
            }
            #expect(keys == (0..<40).map(key))
        }
    }

    @Test(arguments: EtcdBinaries.minors) func changesHappenTogetherOrNotAtAll(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 1) { cluster in
            let (gateway, a) = (cluster.gateway, cluster.endpoint("a"))
            let fresh = EtcdTransaction(
                conditions: [.modRevision(key: [1], 0)],
                changes: (1...128).map { .put(key: [UInt8($0)], value: [7], lease: 0) }
            )
            let done = try await gateway.commit(fresh, at: a)
            #expect(done.isDone)
            let again = try await gateway.commit(fresh, at: a)
            #expect(!again.isDone && again.revision == done.revision)
            let changed = EtcdTransaction(
                conditions: [.modRevision(key: [1], done.revision)],
                changes: [.put(key: [1], value: [8], lease: 0), .delete(key: [2])]
            )
            #expect(try await gateway.commit(changed, at: a).isDone)
            let page = try await gateway.range(.all, at: a)
            #expect(page.count == 127 && page.pairs.first?.value == [8])
            let tooMany = EtcdTransaction(changes: (0...128).map { .delete(key: [UInt8($0)]) })
            try await expectRejected { _ = try await gateway.commit(tooMany, at: a) }
            #expect(try await gateway.range(.all, at: a).count == 127)
        }
    }

    @Test(arguments: EtcdBinaries.minors) func leasesTakeTheirKeysAlong(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 1) { cluster in
            let (gateway, a) = (cluster.gateway, cluster.endpoint("a"))
            let lease = try await gateway.grantLease(seconds: 600, at: a)
            #expect(lease.granted == 600)
            try await gateway.put([1], [1], lease: lease.id, at: a)
            #expect(try await gateway.range(EtcdRange(key: [1]), at: a).pairs.map(\.lease) == [lease.id])
            #expect(try await gateway.grantLease(id: 77, seconds: 60, at: a).id == 77)
            try await expectRejected { _ = try await gateway.grantLease(id: 77, seconds: 60, at: a) }
            let left = try #require(await gateway.lease(lease.id, at: a))
            #expect(left.granted == 600 && (1...600).contains(left.remaining))
            #expect(Set(try await gateway.leases(at: a)) == [lease.id, 77])
            try await gateway.revokeLease(lease.id, at: a)
            try await gateway.revokeLease(lease.id, at: a)
            #expect(try await gateway.lease(lease.id, at: a) == nil)
            #expect(try await gateway.range(.all, at: a).count == 0)
        }
    }

    @Test(arguments: EtcdBinaries.minors) func aFullDatabaseRaisesAnAlarm(minor: Int) async throws {
        let binaries = try EtcdBinaries(minor: minor)
        try await RealEtcdCluster.run(binaries, members: 1, flags: ["--quota-backend-bytes=100000"]) { cluster in
            let (gateway, a) = (cluster.gateway, cluster.endpoint("a"))
            #expect(try await gateway.alarms(at: a).isEmpty)
            let value = [UInt8](repeating: 1, count: 60_000)
            try await expectRejected {
                // Its size is reckoned with each commit, ten a second.
                for n in 0..<1000 { try await gateway.put(key(n), value, at: a) }
            }
            let alarm = try #require(await gateway.alarms(at: a).first)
            #expect(alarm.kind == "NOSPACE")
            #expect(try await gateway.status(of: a).memberID == alarm.memberID)
            #expect(try await !gateway.isHealthy(a))
            // By its status it serves: nobody but the alarm says that it takes no writes.
            #expect(try await gateway.status(of: a).leader == alarm.memberID)
            try await gateway.disarm(alarm, at: a)
            #expect(try await gateway.alarms(at: a).isEmpty)
        }
    }

    private func key(_ number: Int) -> [UInt8] { Array("/registry/\(1000 + number)".utf8) }

    private func fill(_ count: Int, _ gateway: EtcdGateway, _ endpoint: String) async throws -> Int64 {
        var revision: Int64 = 0
        for n in 0..<count { revision = try await gateway.put(key(n), [UInt8(n % 256)], at: endpoint) }
        return revision
    }
}
