// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc
import SystemPackage
import Testing

@testable import Fetch

@Suite struct UploadTests {
    let client = CurlClient()

    @Test(arguments: [0, 1, 65_536, 300_000]) func aFileArrivesWholeWithItsHeaders(_ count: Int) async throws {
        try await TestServer.run { server in
            let source = server.directory.appending("source")
            let bytes = (0..<count).map { UInt8(ascii: "a") + UInt8($0 % 23) }
            try source.put(bytes)
            let url = server.url + "/echo"
            let echo = try await Echo(client.upload(source, to: url, headers: [("Content-Type", "text/plain")]))
            #expect(echo.method == "PUT" && echo.body == String(decoding: bytes, as: UTF8.self))
            #expect(echo.headers["content-length"] == "\(count)" && echo.headers["transfer-encoding"] == nil)
            #expect(echo.headers["content-type"] == "text/plain" && echo.headers["expect"] == nil)
        }
    }

    @Test func aLargeFileIsNeverWholeInMemory() async throws {
        try await TestServer.run { server in
            let source = server.directory.appending("source")
            try source.put([])
            #expect(truncate(source.string, 512 << 20) == 0)
            let before = try peakMemory()
            let answer = try await client.upload(source, to: server.url + "/count")
            #expect(answer.body == Array("\(512 << 20)".utf8))
            #expect(try peakMemory() - before < 256 << 20)
        }
    }

    @Test func anyStatusIsAnAnswerAndNoRedirectIsFollowed() async throws {
        try await TestServer.run { server in
            let source = server.directory.appending("source")
            try source.put([1, 2, 3])
            for (path, status) in [("/status/403", 403), ("/status/503", 503), ("/redirect?to=/status/201", 302)] {
                #expect(try await client.upload(source, to: server.url + path).status == status)
            }
        }
    }

    @Test func whatCannotBeSentIsClassified() async throws {
        try await TestServer.run { server in
            let source = server.directory.appending("source")
            try source.put([UInt8](repeating: 1, count: 100_000))
            let cases: [(file: FilePath, url: String, code: String, kind: FetchError.Class)] = [
                (source, "http://127.0.0.1:1/", "connection-refused", .transient),
                (source, server.url + "/abort", "connection-broken", .transient),
                ("/does/not/exist", server.url + "/echo", "file-missing", .permanent),
                (server.directory, server.url + "/echo", "file-refused", .permanent),
            ]
            for (file, url, code, kind) in cases {
                await #expect("\(code)") { _ = try await client.upload(file, to: url) } throws: {
                    isFetchError(code, kind)($0)
                }
            }
        }
    }

    @Test func aFileThatShrinksIsNotPassedOffAsWhole() async throws {
        try await TestServer.run { server in
            let path = server.directory.appending("source")
            try path.put([UInt8](repeating: 1, count: 1000))
            let source = try FileSource(path)
            #expect(truncate(path.string, 10) == 0)
            #expect(try read(source, 100) == 10)
            #expect { try read(source, 100) } throws: { isFetchError("file-changed", .transient)($0) }
            #expect(source.seek(to: 0) && !source.seek(to: 1001) && !source.seek(to: -1))
            // What was added meanwhile is not sent either: the server was told the length.
            try path.put([UInt8](repeating: 2, count: 5000))
            #expect(try read(source, 4096) == 1000 && read(source, 4096) == 0)
        }
    }

    @Test func clientsThatOnlySendRefuseFiles() async throws {
        struct Sender: HTTPClient {
            func send(_ request: HTTPRequest) async throws -> HTTPResponse { HTTPResponse(status: 200) }
        }
        await #expect { _ = try await Sender().upload("/etc/hostname", to: "http://me:secret@host/") } throws: {
            isFetchError("client-unsupported", .permanent)($0) && !"\($0)".contains("secret")
        }
        await #expect { try await Sender().download(Download(url: "http://host/", file: "/tmp/none")) } throws: {
            isFetchError("client-unsupported", .permanent)($0)
        }
    }

    private func read(_ source: FileSource, _ count: Int) throws -> Int {
        var buffer = [UInt8](repeating: 0, count: count)
        return try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
    }

    /// The most memory this process ever had, in bytes (`VmHWM`, proc(5)).
    private func peakMemory() throws -> Int {
        let text = try String(contentsOf: URL(filePath: "/proc/self/status"), encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) * 1024
    }
}
