// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import NodeTesting
import StateStore
import Testing

@testable import ObjectStores

@Suite struct GCSStoreTests {
    private func store(_ port: Int, _ prefix: String = "", bucket: String = "state") throws -> GCSStore {
        try GCSStore(
            url: "gs://\(bucket)\(prefix.isEmpty ? "" : "/")\(prefix)",
            context: StoreContext(http: CurlClient(), environment: ["STORAGE_EMULATOR_HOST": "127.0.0.1:\(port)"])
        )
    }

    @Test func aServerWithPreconditionsKeepsTheLawsOfStores() async throws {
        try await TestEnvironment.serve("gcs") { port in
            for law in StoreContract.Law.allCases {
                try await StoreContract(store(port, "\(law.rawValue)/team")).check(law)
            }
        }
    }

    /// The server of these tests is no better than what Google's own client finds of it.
    @Test func googlesOwnClientJudgesThatServer() async throws {
        let judge = """
            import sys
            from google.api_core.exceptions import NotFound, PreconditionFailed
            from google.auth.credentials import AnonymousCredentials
            from google.cloud import storage
            client = storage.Client(project='p', credentials=AnonymousCredentials(), client_options={'api_endpoint': sys.argv[1]})
            bucket = client.bucket('state')
            def fails(kind, call):
                try: call()
                except kind: return
                raise SystemExit(f'no {kind.__name__}')
            blob = bucket.blob('a/b c+é')
            blob.upload_from_string(b'1', if_generation_match=0)
            first = blob.generation
            fails(PreconditionFailed, lambda: bucket.blob('a/b c+é').upload_from_string(b'2', if_generation_match=0))
            bucket.blob('a/b c+é').upload_from_string(b'3', if_generation_match=first)
            fails(PreconditionFailed, lambda: bucket.blob('a/b c+é').upload_from_string(b'4', if_generation_match=first))
            assert bucket.blob('a/b c+é').download_as_bytes() == b'3'
            for number in range(20): bucket.blob(f'many/{number}').upload_from_string(b'x')
            assert len(list(client.list_blobs('state', prefix='many/'))) == 20
            fails(PreconditionFailed, lambda: bucket.blob('a/b c+é').delete(if_generation_match=first))
            bucket.blob('a/b c+é').delete()
            fails(NotFound, lambda: bucket.blob('a/b c+é').download_as_bytes())
            print('judged')
            """
        try await TestEnvironment.serve("gcs") { port in
            let verdict = try await TestEnvironment.run(judge, "http://127.0.0.1:\(port)")
            #expect(verdict == "judged\n")
        }
    }

    @Test func anEmulatorKeepsWhatIsPutAndIsFoundUnconditional() async throws {
        try await TestEnvironment.serve("gcs-emulator") { port in
            let store = try store(port, "team")
            try await StoreContract(store).check(.removingTwiceIsNoError)
            let key = try StoreKey("a/b.json")
            try await store.write([1, 2, 3], to: key, when: .always)
            #expect(try await store.read(key)?.bytes == [1, 2, 3])
            #expect(try await store.list(StoreKey("a")).map(\.description) == ["a/b", "a/b.json"])
            let error = await #expect(throws: StoreError.self) {
                try await StoreMarker.ensure(in: store, now: Date(timeIntervalSince1970: 0))
            }
            #expect(error?.code == "store-unconditional")
        }
    }

    @Test func faultsPassOrAreNamed() async throws {
        try await TestEnvironment.serve("gcs") { port in
            let store = try store(port)
            // An answer that is lost is asked for again, and found to have been ours.
            for name in ["x-lost", "x-busy"] {
                let version = try await store.write([1], to: StoreKey(name), when: .absent)
                #expect(try await store.read(StoreKey(name))?.version == version)
            }
            for (name, code) in [("x-denied", "store-denied"), ("x-unknown", "credentials-refused")] {
                let error = await #expect(throws: StoreError.self) { try await store.read(StoreKey(name)) }
                #expect(error?.code == code)
            }
            let error = await #expect(throws: StoreError.self) {
                try await self.store(port, bucket: "no-such").read(StoreKey("a"))
            }
            #expect(error?.code == "bucket-missing")
        }
    }

    @Test func aServiceAccountSignsForItsToken() async throws {
        let file = NSTemporary.file()
        defer { try? FileManager.default.removeItem(at: file) }
        // A key made for this test by openssl through the Python environment's cryptography package.
        let document = try await TestEnvironment.run(
            """
            import json
            from cryptography.hazmat.primitives.asymmetric import rsa
            from cryptography.hazmat.primitives import serialization as s
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()
            print(json.dumps({'type': 'service_account', 'client_email': 'a@b', 'private_key_id': '1', 'private_key': pem,
                'token_uri': 'https://token.test/'}))
            """
        )
        try Data(document.utf8).write(to: file)
        let script = ScriptedHTTP { request in
            if request.url == "https://token.test/" {
                return HTTPResponse(status: 200, body: Array("{\"access_token\": \"t\", \"expires_in\": 3600}".utf8))
            }
            return HTTPResponse(status: 200, headers: [("x-goog-generation", "7")], body: [1])
        }
        let store = try GCSStore(
            url: "gs://state",
            context: StoreContext(http: script, environment: ["GOOGLE_APPLICATION_CREDENTIALS": file.path()])
        )
        _ = try await store.read(StoreKey("a"))
        _ = try await store.read(StoreKey("b"))
        let requests = script.requests
        #expect(requests.map(\.url).filter { $0.contains("token.test") }.count == 1, "one token serves many")
        #expect(requests.last?.headers.contains { $0 == ("Authorization", "Bearer t") } == true)
        let assertion = String(decoding: requests[0].body, as: UTF8.self)
        #expect(try await TestEnvironment.run(Self.verifier, file.path(), assertion) == "a@b\n")
    }

    private static let verifier = """
        import base64, json, sys, urllib.parse
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding
        key = serialization.load_pem_private_key(json.load(open(sys.argv[1]))['private_key'].encode(), None).public_key()
        token = urllib.parse.parse_qs(sys.argv[2])['assertion'][0]
        head, claims, signature = token.split('.')
        decode = lambda text: base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
        key.verify(decode(signature), f'{head}.{claims}'.encode(), padding.PKCS1v15(), hashes.SHA256())
        print(json.loads(decode(claims))['iss'])
        """
}
