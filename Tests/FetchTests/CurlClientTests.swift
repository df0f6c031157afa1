// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import PKI
import Testing

struct Echo: Decodable {
    let method: String
    let body: String
    let client: String
    let headers: [String: String]
    let port: Int

    init(_ response: HTTPResponse) throws { self = try JSONDecoder().decode(Echo.self, from: Data(response.body)) }
}

extension HTTPClient {
    /// What the test server was asked for, as `path range`.
    func log(of server: TestServer) async throws -> [String] {
        try await JSONDecoder().decode([String].self, from: Data(send(HTTPRequest(url: server.url + "/log")).body))
    }
}

/// Whether an error is a fetch error of that code and class.
func isFetchError(_ code: String, _ kind: FetchError.Class) -> (any Error) -> Bool {
    { ($0 as? FetchError)?.code == code && ($0 as? FetchError)?.kind == kind }
}

@Suite struct CurlClientTests {
    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"], ["", "text \u{e9}"])
    func requestsArriveAsTheyAre(_ method: String, _ body: String) async throws {
        try await TestServer.run { server in
            let bytes = body.unicodeScalars.map { UInt8($0.value) }
            let response = try await CurlClient().send(
                HTTPRequest(
                    method: method,
                    url: server.url + "/echo",
                    headers: [("X-Mine", "a, b"), ("X-Empty", "")],
                    body: bytes
                )
            )
            let echo = try Echo(response)
            #expect(response.status == 200)
            #expect(echo.method == method && echo.body == body)
            #expect(echo.headers["x-mine"] == "a, b" && echo.headers["x-empty"] == "")
            #expect(echo.headers["expect"] == nil && echo.headers["content-type"] == nil)
            #expect(
                response.headers.filter { $0.name.hasPrefix("x-") }.map { "\($0.name)=\($0.value)" } == [
                    "x-two=b", "x-one=a:  c",
                ]
            )
        }
    }

    @Test func everyStatusIsAnAnswer() async throws {
        try await TestServer.run { server in
            for status in [404, 409, 500] {
                let response = try await CurlClient().send(HTTPRequest(url: server.url + "/status/\(status)"))
                #expect(response.status == status)
                #expect(response.body == Array("body of \(status)".utf8))
            }
            let head = try await CurlClient().send(HTTPRequest(method: "HEAD", url: server.url + "/status/200"))
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test func connectionsAreReused() async throws {
        try await TestServer.run { server in
            let client = CurlClient()
            var ports: Set<Int> = []
            for _ in 0..<5 { ports.insert(try await Echo(client.send(HTTPRequest(url: server.url + "/echo"))).port) }
            #expect(ports.count == 1)
        }
    }

    @Test func manyRequestsAtOnceGetTheirOwnAnswers() async throws {
        try await TestServer.run { server in
            let client = CurlClient()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let body = Array("\(number)".utf8)
                        let answer = try await Echo(
                            client.send(HTTPRequest(method: "POST", url: server.url + "/echo", body: body))
                        )
                        #expect(answer.body == "\(number)")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func redirectsAreFollowedButNotForEver() async throws {
        try await TestServer.run { server in
            let client = CurlClient()
            let response = try await client.send(HTTPRequest(url: server.url + "/redirect?to=/status/201"))
            #expect(response.status == 201 && response.body == Array("body of 201".utf8))
            let patch = try await client.send(
                HTTPRequest(method: "PATCH", url: server.url + "/redirect?to=/status/201")
            )
            #expect(patch.status == 302)
            await #expect {
                _ = try await client.send(HTTPRequest(url: server.url + "/loop"))
            } throws: { isFetchError("redirect-loop", .permanent)($0) }
        }
    }

    @Test func redirectsAreAnswersToWhomDoesNotFollow() async throws {
        try await TestServer.run { server in
            let url = server.url + "/redirect?to=/status/201"
            let response = try await CurlClient().send(HTTPRequest(url: url, followsRedirects: false))
            #expect(response.status == 302)
            #expect(response.headers.contains { $0.name == "location" && $0.value == "/status/201" })
        }
    }

    @Test func answersHaveTheLimitOfTheirRequest() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 100_000)
            let url = server.url + "/ok/f"
            #expect(try await CurlClient().send(HTTPRequest(url: url, bodyLimit: 100_000)).body == bytes)
            for limit in [99_999, 0, -1] {
                await #expect { _ = try await CurlClient().send(HTTPRequest(url: url, bodyLimit: limit)) } throws: {
                    isFetchError("answer-too-large", .permanent)($0)
                }
            }
        }
    }

    @Test func silenceEndsInATimeout() async throws {
        try await TestServer.run { server in
            for timeouts in [Timeouts(total: .milliseconds(200)), Timeouts(stall: .seconds(1))] {
                await #expect {
                    _ = try await CurlClient().send(HTTPRequest(url: server.url + "/stall", timeouts: timeouts))
                } throws: { isFetchError("timeout", .transient)($0) }
            }
        }
    }

    @Test func aCancelledTaskEndsItsTransfer() async throws {
        try await TestServer.run { server in
            let client = CurlClient()
            let task = Task { try await client.send(HTTPRequest(url: server.url + "/stall")) }
            while try await !client.log(of: server).contains("/stall -") {}
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let early = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await client.send(HTTPRequest(url: server.url + "/stall"))
            }
            await #expect(throws: CancellationError.self) { try await early.value }
            #expect(try await client.send(HTTPRequest(url: server.url + "/status/200")).status == 200)
        }
    }

    @Test func whatCannotBeReachedOrMeantIsClassified() async throws {
        let cases: [(url: String, code: String, kind: FetchError.Class)] = [
            ("http://127.0.0.1:1/", "connection-refused", .transient),
            ("http://name.invalid/", "name-not-resolved", .transient),
            ("ftp://127.0.0.1/", "url-invalid", .permanent),
            ("file:///etc/hostname", "url-invalid", .permanent),
            ("", "url-invalid", .permanent),
            ("http://127.0.0.1:99999/", "url-invalid", .permanent),
        ]
        for (url, code, kind) in cases {
            await #expect(url.isEmpty ? "empty" : "\(url)") {
                _ = try await CurlClient().send(HTTPRequest(url: url))
            } throws: { isFetchError(code, kind)($0) }
        }
        await #expect {
            _ = try await CurlClient().send(HTTPRequest(url: "http://127.0.0.1:1/", headers: [("A", "b\r\nC: d")]))
        } throws: { isFetchError("header-invalid", .permanent)($0) }
    }

    @Test func messagesHoldNoCredentials() async {
        #expect(FetchError.shown("https://me:secret@host/path?signature=secret#secret") == "https://host/path")
        #expect(FetchError.shown("https://host/a@b") == "https://host/a@b")
        await #expect {
            _ = try await CurlClient().send(HTTPRequest(url: "http://me:hunter2@127.0.0.1:1/?hunter2"))
        } throws: { !"\($0)".contains("hunter2") && "\($0)".contains("GET http://127.0.0.1:1/") }
    }
}
