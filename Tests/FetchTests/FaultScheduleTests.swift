// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import SystemPackage
import Testing

@testable import Fetch

/// Random faults of random sources: whatever can be fetched is, and nothing is fetched twice without need.
@Suite struct FaultScheduleTests {
    private static let rounds = 5

    /// How a source ends, once its faults are over.
    private enum Fate: CaseIterable {
        case good
        case wrongBytes
        case wrongLength
        case missing
        case dead
    }

    /// Some sources of one file.
    private struct Schedule: CustomStringConvertible {
        let bytes: [UInt8]
        var fates: [Fate] = []
        var sources: [ScriptedSource] = []
        let isSizeKnown: Bool

        init(using random: inout Seeded) {
            bytes = pattern("\(random)", count: Int.random(in: 100...2000, using: &random))
            isSizeKnown = .random(using: &random)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let fate = Fate.allCases.randomElement(using: &random) ?? .good
                fates.append(fate)
                sources.append(source(fate, using: &random))
            }
        }

        var description: String {
            "\(bytes.count) bytes, size known: \(isSizeKnown), "
                + zip(fates, sources).map { "\($0) \($1)" }.joined(separator: "; ")
        }

        private func source(_ fate: Fate, using random: inout Seeded) -> ScriptedSource {
            var content = bytes
            switch fate {
            case .wrongBytes: content[content.count - 1] ^= 1
            case .wrongLength: content = Array(content.prefix(Int.random(in: 1...(content.count / 3), using: &random)))
            default: break
            }
            let last: ScriptedSource.Act =
                switch fate {
                case .missing: .fail(.status(404, method: "GET", url: "http://source/"))
                case .dead: .fail(FetchError(.transient, code: "connection-refused", "nobody listens"))
                default: Bool.random(using: &random) ? .serve : .crawl
                }
            // All that sources which end badly bring is not the whole.
            let isBrief = fate == .missing || fate == .dead
            let acts = faults(upTo: isBrief ? bytes.count / 50 : 400, using: &random)
            return ScriptedSource(bytes: content, acts: acts, last: last)
        }

        /// Any number of drops, and fewer failures without a byte than there are rounds.
        private func faults(upTo most: Int, using random: inout Seeded) -> [ScriptedSource.Act] {
            let drops = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                ScriptedSource.Act.drop(after: Int.random(in: 1...most, using: &random))
            }
            let failures = (0..<Int.random(in: 0..<rounds, using: &random)).map { _ in
                var busy = FetchError.status(503, method: "GET", url: "http://source/")
                busy.retryAfter = Bool.random(using: &random) ? .seconds(Int.random(in: 0...60, using: &random)) : nil
                return [.drop(after: 0), .fail(busy)].randomElement(using: &random) ?? ScriptedSource.Act.fail(busy)
            }
            return (drops + failures).shuffled(using: &random)
        }

        /// The code all sources together come to; `nil` when one of them has the file.
        var code: String? {
            if fates.contains(.good) { return nil }
            if fates.contains(.dead) { return "asset-unreachable" }
            if Set(fates) == [.missing] { return "asset-not-found" }
            let isRefusedBySize = isSizeKnown && fates.contains(.wrongLength)
            if fates.contains(.wrongBytes) || (!isSizeKnown && fates.contains(.wrongLength)) {
                return "asset-digest-mismatch"
            }
            return isRefusedBySize && Set(fates) == [.wrongLength] ? "asset-size-mismatch" : "asset-refused"
        }
    }

    @Test(arguments: Seeded.seeds(400)) func whatCanBeFetchedIs(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let schedule = Schedule(using: &random)
        try await withTemporaryDirectory { directory in
            let clock = SimulatedClock()
            let urls = schedule.sources.indices.map { "http://source-\($0)/f" }
            let sources = Dictionary(uniqueKeysWithValues: zip(urls, schedule.sources))
            let client = ScriptedClient(sources, wanted: schedule.bytes, clock: clock)
            let cache = AssetCache(directory: directory)
            let file = RemoteFile(
                name: "f",
                sha256: sha256(schedule.bytes),
                sources: urls,
                size: schedule.isSizeKnown ? Int64(schedule.bytes.count) : nil
            )
            let fetcher = AssetFetcher(
                cache: directory,
                http: client,
                clock: clock,
                policy: RetryPolicy(rounds: Self.rounds)
            )
            var code: String?
            do { try await fetcher.fetch([file]) } catch let error as FetchError { code = error.code }
            let story: Comment = "\(random): \(schedule); \(client.calls)"
            // Sources that end badly may have brought all that others lacked before they did.
            #expect(code == schedule.code || code == nil, story)
            #expect(try code != nil || cache.path(of: file.sha256).bytes() == schedule.bytes, story)
            let names = try directory.names()
            #expect(names.contains(file.sha256) == (code == nil), story)
            #expect(code != nil || names == [file.sha256, file.sha256 + ".stamp"], story)
            #expect(clock.sleeps.allSatisfy { $0 <= .seconds(30) }, story)
            if schedule.isSizeKnown || !schedule.fates.contains(.wrongLength) {
                #expect(fetchedTwice(client.calls) == [], story)
            }
        }
    }

    /// Calls that began before the end of what was there already, though no digest had been wrong until then.
    private func fetchedTwice(_ calls: [ScriptedClient.Call]) -> [String] {
        var most = 0
        var again: [String] = []
        for call in calls {
            if call.offset == 0 ? most > 0 : call.offset < most && !isHedge(call) {
                again.append("\(call.url) from \(call.offset) of \(most)")
            }
            if !isHedge(call) { most = max(most, call.end ?? 0) }
            if call.isWrong { return again }
        }
        return again
    }

    private func isHedge(_ call: ScriptedClient.Call) -> Bool { call.file.extension == "hedge" }
}
