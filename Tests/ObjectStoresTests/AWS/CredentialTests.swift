// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import StateStore
import Synchronization
import Testing

@testable import ObjectStores

@Suite struct CredentialTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    private func find(
        _ environment: [String: String],
        _ http: ScriptedHTTP = ScriptedHTTP { _ in HTTPResponse(status: 404) }
    ) async throws -> AWSCredentials {
        // None of this machine's own files.
        let alone = ["HOME": "/nowhere", "KOPSLITE_CREDENTIALS": "/nowhere/credentials"]
        let context = StoreContext(
            http: http,
            environment: alone.merging(environment) { $1 },
            now: { Self.now }
        )
        return try await CredentialChain(context).current(for: "s3://b", region: "us-east-1")
    }

    private func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
        let file = NSTemporary.file()
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(file.path())
    }

    @Test func theEnvironmentComesFirst() async throws {
        let found = try await find([
            "AWS_ACCESS_KEY_ID": "AKIAONE", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_SESSION_TOKEN": "hunter3",
            "S3_ACCESS_KEY_ID": "x",
            "S3_SECRET_ACCESS_KEY": "y",
        ])
        #expect(found == AWSCredentials(accessKey: "AKIAONE", secretKey: "hunter2", sessionToken: "hunter3"))
        #expect(try await find(["S3_ACCESS_KEY_ID": "x", "S3_SECRET_ACCESS_KEY": "y"]).accessKey == "x")
        #expect(!"\(found)".contains("hunter"))
    }

    @Test func filesAreReadByProfile() async throws {
        let text = """
            # one
            [default]
            aws_access_key_id = d
            aws_secret_access_key=ds
            [ other ]
              aws_access_key_id = o
            aws_secret_access_key = os = x
            aws_session_token = ot
            [half]
            aws_access_key_id = h
            """
        try await withFile(text) { file in
            #expect(try await find(["AWS_SHARED_CREDENTIALS_FILE": file]).accessKey == "d")
            let other = try await find(["AWS_SHARED_CREDENTIALS_FILE": file, "AWS_PROFILE": "other"])
            #expect(other == AWSCredentials(accessKey: "o", secretKey: "os = x", sessionToken: "ot"))
            #expect(try await find(["KOPSLITE_CREDENTIALS": file, "AWS_PROFILE": "other"]).accessKey == "d")
            for profile in ["half", "none"] {
                let error = await #expect(throws: StoreError.self) {
                    try await find(["AWS_SHARED_CREDENTIALS_FILE": file, "AWS_PROFILE": profile])
                }
                #expect(error?.code == "credentials-unusable")
            }
        }
    }

    @Test func aTokenOpensARole() async throws {
        let http = ScriptedHTTP { request in
            let body = String(decoding: request.body, as: UTF8.self)
            guard request.url == "https://sts.us-east-1.amazonaws.com/", body.contains("WebIdentityToken=a.b%2Bc")
            else {
                return HTTPResponse(status: 403)
            }
            let answer = """
                <AssumeRoleWithWebIdentityResponse xmlns="x"><R><Credentials><AccessKeyId>k</AccessKeyId>
                <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2023-11-15T00:00:00Z</Expiration>
                </Credentials></R></AssumeRoleWithWebIdentityResponse>
                """
            return HTTPResponse(status: 200, body: Array(answer.utf8))
        }
        try await withFile("a.b+c\n") { file in
            let found = try await find(["AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:r"], http)
            #expect(found.accessKey == "k" && found.sessionToken == "t" && found.expires != nil)
        }
    }

    private static let document = """
        {"AccessKeyId": "k", "SecretAccessKey": "s", "Token": "t", "Expiration": "2023-11-15T00:00:00Z", "Code": "Success"}
        """

    @Test func containersAndMachinesAskTheirMetadataService() async throws {
        let http = ScriptedHTTP { request in
            let header = Dictionary(request.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            switch (request.method, request.url) {
            case ("GET", "http://169.254.170.2/role"): return HTTPResponse(status: 200, body: Array(Self.document.utf8))
            case ("GET", "http://127.0.0.1:80/pod") where header["Authorization"] == "secret":
                return HTTPResponse(status: 200, body: Array(Self.document.utf8))
            case ("PUT", "http://169.254.169.254/latest/api/token"):
                return HTTPResponse(status: 200, body: Array("imds".utf8))
            case ("GET", let url) where header["X-aws-ec2-metadata-token"] == "imds":
                let body = url.hasSuffix("/security-credentials/") ? "nodes\n" : Self.document
                return HTTPResponse(status: 200, body: Array(body.utf8))
            default: return HTTPResponse(status: 404)
            }
        }
        #expect(try await find(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/role"], http).accessKey == "k")
        let pod = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:80/pod",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret",
        ]
        #expect(try await find(pod, http).accessKey == "k")
        #expect(try await find([:], http).sessionToken == "t")
        await #expect(throws: StoreError.self) { try await find(["AWS_EC2_METADATA_DISABLED": "true"], http) }
    }

    @Test(arguments: [
        "http://example.com/x", "http://127.evil.example/x", "http://127.0.0.1.example/x", "ftp://127.0.0.1",
        "http://[::2]/x",
    ])
    func aTokenGoesToNobodyElse(_ url: String) async throws {
        let http = ScriptedHTTP { _ in HTTPResponse(status: 200) }
        let error = await #expect(throws: StoreError.self) {
            try await find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "t"], http)
        }
        #expect(error?.code == "credentials-unusable")
        #expect(http.requests.isEmpty)
    }

    @Test func nothingFoundSaysWhatWasTried() async throws {
        let error = await #expect(throws: StoreError.self) { try await find([:]) }
        #expect(error?.code == "credentials-missing")
        let text = error.map { "\($0)" } ?? ""
        for place in ["AWS_ACCESS_KEY_ID", "/etc/kopslite/credentials", "metadata service"] {
            #expect(text.contains(place))
        }
    }

    @Test func credentialsAreRenewedOnceForAllBeforeTheyEnd() async throws {
        let time = Mutex(Self.now)
        let count = Mutex(0)
        let http = ScriptedHTTP { request in
            if request.method == "PUT" { return HTTPResponse(status: 200, body: Array("t".utf8)) }
            if request.url.hasSuffix("/security-credentials/") {
                return HTTPResponse(status: 200, body: Array("r".utf8))
            }
            count.withLock { $0 += 1 }
            let expires = time.withLock { $0 }.addingTimeInterval(3600).formatted(.iso8601)
            let text =
                "{\"AccessKeyId\": \"k\", \"SecretAccessKey\": \"s\", \"Token\": \"t\", \"Expiration\": \"\(expires)\"}"
            return HTTPResponse(status: 200, body: Array(text.utf8))
        }
        let environment = ["HOME": "/nowhere", "KOPSLITE_CREDENTIALS": "/nowhere/c"]
        let chain = CredentialChain(StoreContext(http: http, environment: environment, now: { time.withLock { $0 } }))
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { _ = try await chain.current(for: "s3://b", region: "r") } }
            try await group.waitForAll()
        }
        #expect(count.withLock { $0 } == 1)
        time.withLock { $0 = Self.now.addingTimeInterval(3200) }
        _ = try await chain.current(for: "s3://b", region: "r")
        #expect(count.withLock { $0 } == 1)
        time.withLock { $0 = Self.now.addingTimeInterval(3301) }
        _ = try await chain.current(for: "s3://b", region: "r")
        #expect(count.withLock { $0 } == 2)
    }
}
