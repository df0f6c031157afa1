// SPDX-License-Identifier: Apache-2.0
import Fetch
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(2))) struct DownloadTests {
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
}
