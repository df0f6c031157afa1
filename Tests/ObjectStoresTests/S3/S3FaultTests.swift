// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import NodeTesting
import StateStore
import Synchronization
import Testing

@testable import ObjectStores

/// What real servers do too seldom to wait for.
@Suite struct S3FaultTests {
    private func store(_ http: ScriptedHTTP, _ url: String = "s3://bucket/p?region=eu-west-1") throws -> S3Store {
        try S3Store(
            url: url,
            context: StoreContext(
                http: http,
                environment: MotoServer.anybody,
                now: { Date(timeIntervalSince1970: 1_700_000_000) },
                clock: SimulatedClock()
            )
        )
    }

    private static func error(
        _ status: Int,
        _ code: String,
        headers: [(String, String)] = [],
        more: String = ""
    ) -> HTTPResponse {
        let body = "<?xml version=\"1.0\"?>\n<Error><Code>\(code)</Code><Message>m &amp; m</Message>\(more)</Error>"
        return HTTPResponse(status: status, headers: headers.map { (name: $0.0, value: $0.1) }, body: Array(body.utf8))
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var answer: HTTPResponse
        var code: String
        /// Words that the reason or the hint must hold.
        var words: String
        var testDescription: String { code }
    }

    static let refusals = [
        Refusal(answer: error(404, "NoSuchBucket"), code: "bucket-missing", words: "there is no bucket bucket"),
        Refusal(
            answer: error(301, "PermanentRedirect", headers: [("x-amz-bucket-region", "us-west-2")]),
            code: "bucket-elsewhere",
            words: "region=us-west-2"
        ),
        Refusal(
            answer: error(400, "AuthorizationHeaderMalformed", headers: [("x-amz-bucket-region", "us-west-2")]),
            code: "bucket-elsewhere",
            words: "us-west-2"
        ),
        Refusal(
            answer: error(403, "AccessDenied"),
            code: "store-denied",
            words: "s3:GetObject on arn:aws:s3:::bucket/p/a"
        ),
        Refusal(answer: HTTPResponse(status: 403), code: "store-denied", words: "s3:GetObject"),
        Refusal(
            answer: error(403, "RequestTimeTooSkewed", more: "<ServerTime>2023-11-14T23:13:20Z</ServerTime>"),
            code: "clock-skewed",
            words: "2023-11-14T23:13:20Z"
        ),
        Refusal(answer: error(400, "AccessControlListNotSupported"), code: "acl-disabled", words: "KOPS_STATE_S3_ACL"),
        Refusal(answer: error(400, "KMS.DisabledException"), code: "kms-denied", words: "kms:Decrypt"),
        Refusal(answer: error(403, "InvalidAccessKeyId"), code: "credentials-refused", words: "access key"),
        Refusal(answer: error(400, "ExpiredToken"), code: "credentials-expired", words: "clock"),
        Refusal(answer: error(418, "Teapot"), code: "store-refused", words: "Teapot: m & m"),
    ]

    @Test(arguments: refusals) func whatIsRefusedSaysWhatIsMissing(_ refusal: Refusal) async throws {
        let http = ScriptedHTTP { _ in refusal.answer }
        let found = await #expect(throws: StoreError.self) { try await store(http).read(StoreKey("a")) }
        #expect(found?.code == refusal.code)
        let text = "\(found.map { "\($0)" } ?? "") \(found?.hint ?? "")"
        #expect(text.contains(refusal.words), "\(text)")
        #expect(!text.contains("testing"), "no credentials in a message")
        #expect(http.requests.count == 1, "what stays refused is not asked again")
    }

    @Test func aMissingObjectIsOneOnlyWhenTheServerSaysSo() async throws {
        let missing = ScriptedHTTP { _ in Self.error(404, "NoSuchKey") }
        #expect(try await store(missing).read(StoreKey("a")) == nil)
        let denied = ScriptedHTTP { _ in Self.error(403, "AccessDenied") }
        await #expect(throws: StoreError.self) { try await store(denied).read(StoreKey("a")) }
    }

    @Test func whatMayPassIsTriedFourTimesAndThenUnavailable() async throws {
        for answer in [
            Self.error(503, "SlowDown", headers: [("retry-after", "3")]), Self.error(500, "InternalError"),
            HTTPResponse(status: 502),
        ] {
            let http = ScriptedHTTP { _ in answer }
            let found = await #expect(throws: StoreError.self) { try await store(http).read(StoreKey("a")) }
            #expect(found?.code == "store-unreadable")
            #expect(http.requests.count == 4)
        }
        let count = Mutex(0)
        let late = ScriptedHTTP { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number < 3 { throw FetchError(.transient, code: "timeout", "slow") }
            return HTTPResponse(status: 200, headers: [("etag", "\"e\"")], body: [7])
        }
        #expect(try await store(late).read(StoreKey("a"))?.bytes == [7])
    }

    /// A server with one object, whose first answer to a PUT is lost after it took effect.
    private func forgetful(_ mine: Bool) -> ScriptedHTTP {
        let held = Mutex<[UInt8]?>(nil)
        return ScriptedHTTP { request in
            try held.withLock { held in
                if request.method == "GET" {
                    guard let held else { return Self.error(404, "NoSuchKey") }
                    return HTTPResponse(status: 200, headers: [("etag", "\"x\"")], body: held)
                }
                guard held == nil else { return Self.error(412, "PreconditionFailed") }
                held = mine ? request.body : [99]
                throw FetchError(.transient, code: "connection-broken", "lost")
            }
        }
    }

    @Test func aLostAnswerToAConditionalWriteIsNotTakenForALostRace() async throws {
        let version = try await store(forgetful(true)).write([1], to: StoreKey("a"), when: .absent)
        #expect(version.text == "\"x\"")
        await #expect(throws: StoreError.conflict(key: "a", expected: "nothing", found: "\"x\"")) {
            try await store(forgetful(false)).write([1], to: StoreKey("a"), when: .absent)
        }
    }

    @Test func whatIsNoStateIsNotReadWhole() async throws {
        let http = ScriptedHTTP { request in
            #expect(request.bodyLimit <= 16 << 20)
            throw FetchError(.permanent, code: "answer-too-large", "10 GB")
        }
        let found = await #expect(throws: StoreError.self) { try await store(http).read(StoreKey("a")) }
        #expect(found?.code == "object-too-large")
    }

    @Test func aServerWithoutConditionsIsNamed() async throws {
        let http = ScriptedHTTP { _ in Self.error(501, "NotImplemented") }
        let found = await #expect(throws: StoreError.self) {
            try await store(http).write([1], to: StoreKey("a"), when: .absent)
        }
        #expect(found?.code == "store-unconditional")
    }

    @Test func aBucketWhoseRegionIsNotKnownIsFollowedOnce() async throws {
        let http = ScriptedHTTP { request in
            guard request.url.contains("us-west-2") else {
                return Self.error(301, "PermanentRedirect", headers: [("x-amz-bucket-region", "us-west-2")])
            }
            return HTTPResponse(status: 200, headers: [("etag", "e")], body: [1])
        }
        let store = try store(http, "s3://bucket")
        _ = try await store.read(StoreKey("a"))
        _ = try await store.read(StoreKey("b"))
        #expect(
            http.requests.map(\.url) == [
                "https://bucket.s3.us-east-1.amazonaws.com/a", "https://bucket.s3.us-west-2.amazonaws.com/a",
                "https://bucket.s3.us-west-2.amazonaws.com/b",
            ]
        )
    }

    @Test func whatTheURLAsksForIsAskedFor() async throws {
        let http = ScriptedHTTP { _ in HTTPResponse(status: 200, headers: [("etag", "e")]) }
        let url =
            "s3://my.bucket/p?acl=bucket-owner-full-control&endpoint=https%3A%2F%2Fs3.example.com%3A9000&kms-key=k"
            + "&region=r&requester=yes&sse=aws%3Akms"
        let store = try store(http, url)
        #expect(store.url == url, "the URL is complete and in one form")
        try await store.write([1], to: StoreKey("a b"), when: .absent)
        let request = try #require(http.requests.first)
        #expect(request.url == "https://s3.example.com:9000/my.bucket/p/a%20b")
        let headers = Dictionary(request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
        #expect(headers["x-amz-server-side-encryption"] == "aws:kms")
        #expect(headers["x-amz-server-side-encryption-aws-kms-key-id"] == "k")
        #expect(headers["x-amz-acl"] == "bucket-owner-full-control")
        #expect(headers["x-amz-request-payer"] == "requester")
        #expect(headers["if-none-match"] == "*")
        for name in ["x-amz-acl", "x-amz-request-payer", "if-none-match"] {
            #expect(headers["authorization"]?.contains(name) == true, "\(name) is signed")
        }
    }

    @Test(arguments: [
        "s3://", "s3://ab", "s3://UPPER", "s3://user:hunter2@bucket", "s3://bucket/../x", "s3://bucket?colour=red",
        "s3://bucket?style=diagonal", "s3://bucket?sse=none", "s3://bucket?endpoint=ftp://x", "s3://bucket?region=",
        "s3://bucket?region=a&region=b", "s3://bucket/%zz", "s3://bucket#x", "s3://bucket?endpoint=https://u@h",
    ])
    func addressesThatCannotBeAreRefused(_ url: String) {
        let error = #expect(throws: StoreError.self) { _ = try S3Store(url: url, context: .live) }
        #expect(error?.code == "store-url-invalid")
        #expect(error.map { "\($0)".contains("hunter2") } == false, "a password is not repeated")
    }

    @Test(arguments: Seeded.seeds(30)) func noDocumentTrapsTheReader(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let good = Array(
            "<?xml version='1.0'?><a x=\"1\"><b>t&amp;&#65;&#x42;</b><c/><d><e>f</e></d></a>".utf8
        )
        #expect(XMLElement(parsing: good)?["b"] == "t&AB")
        for _ in 0..<500 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(5), at: place)
                }
            }
            _ = XMLElement(parsing: bytes)
        }
        #expect(XMLElement(parsing: Array(String(repeating: "<a>", count: 100).utf8)) == nil)
        #expect(XMLElement(parsing: Array("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>".utf8)) == nil)
    }
}
