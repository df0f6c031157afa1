// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import StateStore
import Testing

@testable import ObjectStores

@Suite struct S3StoreTests {
    @Test func aRealServerKeepsTheLawsOfStores() async throws {
        try await MotoServer.run { server in
            for law in StoreContract.Law.allCases {
                for prefix in ["", "team/one"] {
                    // Each law wants an empty store.
                    try await StoreContract(server.store("\(law.rawValue)\(prefix.count)/\(prefix)")).check(law)
                }
            }
        }
    }

    @Test func moreThanAPageIsListedWhole() async throws {
        try await MotoServer.run { server in
            let store = try server.store("many")
            let keys = try (0..<1205).map { try StoreKey("k/\($0)") }
            try await withThrowingTaskGroup { group in
                for key in keys { group.addTask { _ = try await store.write([1], to: key, when: .always) } }
                try await group.waitForAll()
            }
            #expect(try await store.list(StoreKey("k")) == keys.sorted())
        }
    }

    @Test func whatTheServerRefusesIsSaidWithTheMissingPermission() async throws {
        try await MotoServer.run { server in
            let setUp = """
                import boto3, json, sys, urllib.request
                end = sys.argv[1]
                iam = boto3.client('iam', endpoint_url=end, region_name='us-east-1', aws_access_key_id='a', aws_secret_access_key='b')
                iam.create_user(UserName='node')
                key = iam.create_access_key(UserName='node')['AccessKey']
                iam.put_user_policy(UserName='node', PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17',
                    'Statement': [{'Effect': 'Allow', 'Action': ['s3:GetObject'], 'Resource': ['arn:aws:s3:::state/c1/*']}]}))
                urllib.request.urlopen(urllib.request.Request(end + '/moto-api/reset-auth', data=b'0', headers={'Content-Type': 'text/plain'}))
                print(key['AccessKeyId'], key['SecretAccessKey'])
                """
            let words = try await TestEnvironment.run(setUp, server.endpoint).split(whereSeparator: \.isWhitespace)
            try #require(words.count == 2)
            let mine = ["AWS_ACCESS_KEY_ID": String(words[0]), "AWS_SECRET_ACCESS_KEY": String(words[1])]
            #expect(try await server.store(environment: mine).read(StoreKey("c1/a")) == nil)
            let cases: [(String, [String: String], String, String)] = [
                (
                    "wrong secret", mine.merging(["AWS_SECRET_ACCESS_KEY": "wrong"]) { $1 }, "c1/a",
                    "credentials-refused"
                ),
                (
                    "unknown key", mine.merging(["AWS_ACCESS_KEY_ID": "AKIANOBODY"]) { $1 }, "c1/a",
                    "credentials-refused"
                ),
                ("another's prefix", mine, "c2/a", "store-denied"),
            ]
            for (what, environment, key, code) in cases {
                let error = await #expect(throws: StoreError.self, "\(what)") {
                    try await server.store(environment: environment).read(StoreKey(key))
                }
                #expect(error?.code == code, "\(what): \(error.map { "\($0)" } ?? "")")
            }
            let denied = await #expect(throws: StoreError.self) {
                try await server.store(environment: mine).write([1], to: StoreKey("c1/a"), when: .always)
            }
            #expect(denied?.hint?.contains("s3:PutObject on arn:aws:s3:::state/c1/a") == true, "\(denied?.hint ?? "")")
        }
    }

    @Test func aMissingBucketIsNoMissingObject() async throws {
        try await MotoServer.run { server in
            let store = try server.store(bucket: "no-such-bucket")
            for attempt in [
                { _ = try await store.read(StoreKey("a")) }, { _ = try await store.list(StoreKey("a")) },
                { _ = try await store.write([1], to: StoreKey("a"), when: .absent) },
                { try await store.remove(StoreKey("a"), when: .always) },
            ] {
                let error = await #expect(throws: StoreError.self) { try await attempt() }
                #expect(error?.code == "bucket-missing", "\(error.map { "\($0)" } ?? "")")
            }
        }
    }
}
