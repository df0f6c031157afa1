// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeTesting
import Testing

@testable import ObjectStores

@Suite struct SigV4Tests {
    /// The credentials of the published examples.
    static let example = AWSCredentials(
        accessKey: "AKIAIOSFODNN7EXAMPLE",
        secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )
    static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    struct Example: Sendable, CustomTestStringConvertible {
        var name: String
        var method = "GET"
        var path = "/"
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var payload = SigV4Tests.empty
        var signature: String
        var testDescription: String { name }
    }

    /// "Examples: Signature calculations" of the Amazon S3 API Reference.
    static let examples = [
        Example(
            name: "GET object",
            path: "/test.txt",
            headers: [("Range", "bytes=0-9")],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        ),
        Example(
            name: "PUT object",
            method: "PUT",
            path: "/test%24file.text",
            headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        ),
        Example(
            name: "GET bucket lifecycle",
            query: [("lifecycle", "")],
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        ),
        Example(
            name: "list objects",
            query: [("prefix", "J"), ("max-keys", "2")],
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
    ]

    @Test(arguments: examples) func thePublishedExamplesAreSignedAsPublished(_ example: Example) throws {
        let signer = SigV4Signer(credentials: Self.example, region: "us-east-1", service: "s3")
        let headers = signer.headers(
            for: SigV4Signer.Request(
                method: example.method,
                host: "examplebucket.s3.amazonaws.com",
                path: example.path,
                query: example.query,
                headers: example.headers,
                payload: example.payload
            ),
            at: try Date("2013-05-24T00:00:00Z", strategy: .iso8601)
        )
        #expect(headers.last?.value.hasSuffix("Signature=\(example.signature)") == true, "\(headers)")
    }

    /// What botocore signs, a request a line.
    private static let botocore = """
        import json, sys
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        import botocore.auth, datetime
        for line in sys.stdin if len(sys.argv) < 2 else open(sys.argv[1]):
            r = json.loads(line)
            request = AWSRequest(method=r['method'], url=r['url'], headers=r['headers'], data=bytes(r['body']))
            fixed = datetime.datetime.strptime(r['time'], '%Y%m%dT%H%M%SZ')
            class Clock(datetime.datetime):
                @classmethod
                def utcnow(cls): return fixed
                @classmethod
                def now(cls, tz=None): return fixed
            botocore.auth.get_current_datetime = lambda remove_tzinfo=True: fixed
            S3SigV4Auth(Credentials(r['key'], r['secret'], r.get('token')), 's3', r['region']).add_auth(request)
            print(request.headers['Authorization'])
        """

    private struct Line: Encodable {
        var method: String
        var url: String
        var headers: [String: String]
        var body: [UInt8]
        var time: String
        var key: String
        var secret: String
        var token: String?
        var region: String
    }

    @Test(arguments: Seeded.seeds(1)) func randomRequestsAreSignedAsBotocoreSignsThem(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        var lines: [Line] = []
        var signed: [String] = []
        for _ in 0..<400 {
            let (line, authorization) = try Self.request(&random)
            lines.append(line)
            signed.append(authorization)
        }
        let file = NSTemporary.file()
        defer { try? FileManager.default.removeItem(at: file) }
        let text = try lines.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }.joined(
            separator: "\n"
        )
        try Data(text.utf8).write(to: file)
        let theirs = try await TestEnvironment.run(Self.botocore, file.path()).split(separator: "\n").map(String.init)
        try #require(theirs.count == signed.count)
        for (index, authorization) in theirs.enumerated() {
            #expect(authorization == signed[index], "\(random), request \(index): \(lines[index].url)")
        }
    }

    private static func request(_ random: inout Seeded) throws -> (Line, String) {
        let letters = Array("abcXYZ019-._~ /+=%&?é!*'()@:,;[]$\"<>\\^`{|}")
        func word(_ range: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: range, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" }
            )
        }
        let key = (0..<3).map { _ in PercentEncoding.encode(String(word(1...6).filter { $0 != "/" }) + "k") }.joined(
            separator: "/"
        )
        let query = (0..<Int.random(in: 0...3, using: &random)).map {
            (name: "q\($0)\(word(0...3))", value: word(0...6))
        }
        let body = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        let headers =
            Bool.random(using: &random)
            ? [(name: "x-amz-meta-a", value: "one  two \(word(0...3).filter(\.isASCII))")] : []
        let credentials = AWSCredentials(
            accessKey: "AKIA\(UInt32.random(in: 0 ... .max, using: &random))",
            secretKey: word(10...20),
            sessionToken: Bool.random(using: &random) ? "token\(UInt32.random(in: 0 ... .max, using: &random))" : nil
        )
        let now = Date(timeIntervalSince1970: Double(UInt32.random(in: 0 ... .max, using: &random)))
        let method = ["GET", "PUT", "DELETE"].randomElement(using: &random) ?? "GET"
        let signer = SigV4Signer(credentials: credentials, region: "eu-west-1", service: "s3")
        let added = signer.headers(
            for: SigV4Signer.Request(
                method: method,
                host: "bucket.example.com:9000",
                path: "/\(key)",
                query: query,
                headers: headers,
                payload: Hex.sha256(body)
            ),
            at: now
        )
        let text = SigV4Signer.canonicalQuery(query)
        let line = Line(
            method: method,
            url: "http://bucket.example.com:9000/\(key)" + (text.isEmpty ? "" : "?\(text)"),
            headers: Dictionary(headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            body: body,
            time: SigV4Signer.time(now),
            key: credentials.accessKey,
            secret: credentials.secretKey,
            token: credentials.sessionToken,
            region: "eu-west-1"
        )
        return (line, added.last?.value ?? "")
    }
}

/// A file that is nobody else's.
enum NSTemporary {
    static func file() -> URL {
        FileManager.default.temporaryDirectory.appending(path: "kopslite-\(UInt64.random(in: 0 ... .max))")
    }
}
