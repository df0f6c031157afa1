// SPDX-License-Identifier: Apache-2.0
import Synchronization
import SystemPackage
import Testing

@testable import Fetch

@Suite struct DownloadTests {
    let client = CurlClient()

    @Test(arguments: [0, 1, 100_000], ["ok", "norange"])
    func anyPartIsCompletedToTheWhole(_ count: Int, _ kind: String) async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: count)
            let target = server.directory.appending("target")
            for have in Set([0, 1, count / 2, count]).filter({ $0 <= count }) {
                try target.put(Array(bytes[..<have]))
                try await client.download(Download(url: "\(server.url)/\(kind)/f", file: target))
                #expect(try target.bytes() == bytes)
            }
            guard count > 1, kind == "ok" else { return }
            let log = try await client.log(of: server)
            #expect(log.contains("/ok/f bytes=\(count / 2)-"))
        }
    }

    @Test func aPartThatIsLongerIsStartedOver() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 1000)
            let target = server.directory.appending("target")
            for url in ["\(server.url)/ok/f", "file://\(server.directory)/files/f"] {
                try target.put([UInt8](repeating: 9, count: 2000))
                try await client.download(Download(url: url, file: target))
                #expect(try target.bytes() == bytes)
            }
        }
    }

    @Test func anErrorAnswerNeverReachesTheFile() async throws {
        try await TestServer.run { server in
            let target = server.directory.appending("target")
            try target.put([1, 2, 3])
            for (path, code, kind) in [
                ("ok/missing", "http-404", FetchError.Class.permanent), ("status/503", "http-503", .transient),
                ("status/403", "http-403", .permanent), ("status/429", "http-429", .transient),
            ] {
                await #expect {
                    try await client.download(Download(url: "\(server.url)/\(path)", file: target))
                } throws: { isFetchError(code, kind)($0) }
                #expect(try target.bytes() == [1, 2, 3])
            }
        }
    }

    @Test func aBrokenTransferKeepsWhatArrived() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 5000)
            let target = server.directory.appending("target")
            await #expect {
                try await client.download(Download(url: "\(server.url)/resetonce/f", file: target))
            } throws: { isFetchError("connection-broken", .transient)($0) }
            #expect(try target.bytes() == Array(bytes[..<1000]))
            try await client.download(Download(url: "\(server.url)/resetonce/f", file: target))
            #expect(try target.bytes() == bytes)
        }
    }

    @Test func filesAreCopiedAndResumed() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("with space", count: 3_000_000)
            let target = server.directory.appending("target")
            try target.put(Array(bytes[..<1_500_000]))
            try await client.download(Download(url: "file://\(server.directory)/files/with%20space", file: target))
            #expect(try target.bytes() == bytes)
            for (url, code) in [
                ("file:///does/not/exist", "file-missing"), ("file:relative", "url-invalid"),
                ("file:///%00", "url-invalid"),
            ] {
                await #expect { try await client.download(Download(url: url, file: target)) } throws: {
                    isFetchError(code, .permanent)($0)
                }
            }
        }
    }

    @Test func theWholeLengthIsTold() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 300_000)
            for (url, total) in [
                ("\(server.url)/ok/f", 300_000), ("\(server.url)/norange/f", 300_000), ("\(server.url)/unsized/f", nil),
                ("file://\(server.directory)/files/f", 300_000),
            ] as [(String, Int64?)] {
                let target = server.directory.appending("target")
                try target.put(Array(bytes[..<100]))
                let heard = Mutex((arrived: 0, totals: Set<Int64?>()))
                let download = Download(url: url, file: target) { progress in
                    heard.withLock {
                        $0.arrived += progress.arrived
                        if progress.arrived > 0 { $0.totals.insert(progress.total) }
                    }
                }
                try? await client.download(download)
                try await client.download(download)
                #expect(try target.bytes() == bytes)
                #expect(heard.withLock { $0.arrived } >= 299_900 && heard.withLock { $0.totals } == [total])
            }
        }
    }

    @Test func anotherSizeIsRefusedAndChangesNothing() async throws {
        try await TestServer.run { server in
            _ = try server.serve("f", count: 5000)
            let target = server.directory.appending("target")
            for part in [[], [1, 2, 3]] as [[UInt8]] {
                for (path, size) in [
                    ("ok", 4000), ("ok", 6000), ("norange", 4000), ("norange", 6000), ("endless", 6000), ("ok", 0),
                ] {
                    try target.put(size == 0 ? [] : part)
                    let url = "\(server.url)/\(path)/f"
                    await #expect("\(path) \(size)") {
                        try await client.download(Download(url: url, file: target, size: Int64(size)))
                    } throws: { isFetchError("asset-size-mismatch", .permanent)($0) }
                    #expect(try target.bytes() == (size == 0 ? [] : part))
                }
            }
        }
    }

    @Test func anAnswerWithoutALengthMayHaveBeenCutShort() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 5000)
            let target = server.directory.appending("target")
            let download = Download(url: "\(server.url)/unsized/f", file: target, size: 5000)
            await #expect { try await client.download(download) } throws: {
                isFetchError("answer-cut-short", .transient)($0)
            }
            #expect(try target.bytes() == Array(bytes[..<1000]))
            try await client.download(download)
            #expect(try target.bytes() == bytes)
        }
    }

    @Test func whoDoesNotFollowIsToldWhere() async throws {
        try await TestServer.run { server in
            _ = try server.serve("f", count: 10)
            let target = server.directory.appending("target")
            let url = "\(server.url)/redirect?to=/ok/f"
            await #expect {
                try await client.download(Download(url: url, file: target, followsRedirects: false))
            } throws: { isFetchError("redirect-refused", .permanent)($0) }
            #expect(try target.bytes() == [])
            try await client.download(Download(url: url, file: target))
            #expect(try target.bytes().count == 10)
        }
    }

    @Test(
        arguments: [
            ("bytes 5-9/10", 5, 10), ("bytes 0-0/1", 0, 1), ("bytes */10", nil, 10), ("bytes 5-9/*", 5, nil),
        ] as [(String, Int64?, Int64?)]
    )
    func rangesAreRead(_ text: String, _ first: Int64?, _ total: Int64?) {
        let range = ContentRange([("content-range", text)])
        #expect(range?.first == first && range?.total == total && range != nil)
    }

    @Test(arguments: ["", "bytes", "bytes 5-9", "items 5-9/10", "bytes -5-9/10", "bytes 5-9/ten", "bytes 5-9/10/11"])
    func rangesThatMakeNoSenseAreNone(_ text: String) {
        #expect(ContentRange([("content-range", text)]) == nil)
        #expect(ContentRange([]) == nil)
        #expect(ContentRange([("content-range", "bytes 0-1/99999999999999999999")]) == nil)
    }
}
