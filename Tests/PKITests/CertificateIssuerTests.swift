// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import PKI
import SystemPackage
import Testing

@Suite struct CertificateIssuerTests {
    let now = Date()
    let profile = CertificateProfile(
        commonName: "system:node:a.example.com",
        organizations: ["system:nodes", "second"],
        dnsNames: ["a.example.com", "*.internal"],
        ipAddresses: ["10.0.0.1", "fd00::1"],
        usages: [.server, .client],
        lifetime: .seconds(30 * 86400)
    )

    func authority(_ name: String = "kubernetes-ca") throws -> Keyset {
        try KeysetGenerator.certificateAuthority(name: name, commonName: name, now: now)
    }

    @Test func whatIsIssuedReadsBackAsTheProfileSays() throws {
        let keyset = try authority()
        let issued = try CertificateIssuer(keyset: keyset).issue(profile, now: now)
        let facts = try CertificateInspector.inspect(pem: issued.certificate)
        #expect(facts.commonName == profile.commonName)
        #expect(facts.organizations == profile.organizations)
        #expect(facts.dnsNames == profile.dnsNames)
        #expect(facts.ipAddresses == profile.ipAddresses)
        #expect(facts.usages == profile.usages)
        #expect(!facts.isAuthority)
        #expect(facts.notBefore <= now - 3599 && facts.notBefore > now - 3602)
        #expect(abs(facts.notAfter.timeIntervalSince(now) - 30 * 86400) < 2)
        #expect(facts.belongs(toPrivateKey: issued.privateKey))
    }

    @Test func onlyTheAuthorityThatSignedIsAccepted() throws {
        let keyset = try authority()
        let namesake = try authority()
        let facts = try CertificateInspector.inspect(
            pem: CertificateIssuer(keyset: keyset).issue(profile, now: now).certificate
        )
        #expect(facts.isIssued(by: keyset))
        #expect(facts.isIssued(by: keyset.publicPart))
        // Same name, other key: a comparison of names would be fooled.
        #expect(!facts.isIssued(by: namesake))
        var rotated = namesake
        rotated.pairs += keyset.pairs
        #expect(!facts.isIssued(by: rotated), "another pair signs now")
        rotated.primary = keyset.primary
        #expect(facts.isIssued(by: rotated))
        #expect(!facts.isIssued(by: Keyset(name: "empty", primary: "", pairs: [])))
        #expect(!facts.belongs(toPrivateKey: try #require(keyset.primaryPair?.privateKey)))
    }

    @Test func aLeafNeverOutlivesItsAuthority() throws {
        let keyset = try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: now, years: 1)
        var long = profile
        long.lifetime = .seconds(4000 * 86400)
        let leaf = try CertificateInspector.inspect(
            pem: CertificateIssuer(keyset: keyset).issue(long, now: now).certificate
        )
        let root = try CertificateInspector.inspect(pem: keyset.bundle)
        #expect(leaf.notAfter == root.notAfter)
        #expect(root.isAuthority)
        #expect(throws: PKIError.self) {
            try CertificateIssuer(keyset: keyset).issue(profile, now: now + 2 * 366 * 86400)
        }
    }

    @Test func equalProfilesGiveDifferentSerialsAndKeys() throws {
        let issuer = CertificateIssuer(keyset: try authority())
        let issued = try (0..<5).map { _ in try issuer.issue(profile, now: now) }
        #expect(Set(issued.map(\.certificate)).count == 5)
        #expect(Set(issued.map(\.privateKey)).count == 5)
    }

    @Test func opensslVerifiesChainPurposeAndNames() async throws {
        try await Openssl.inDirectory { openssl in
            let keyset = try authority()
            let root = try openssl.file("ca.crt", keyset.bundle)
            for (usage, good, bad) in [
                (CertificateProfile.Usage.server, "sslserver", "sslclient"),
                (.client, "sslclient", "sslserver"),
            ] {
                var one = profile
                one.usages = [usage]
                let issued = try CertificateIssuer(keyset: keyset).issue(one, now: now)
                let leaf = try openssl.file("leaf.crt", issued.certificate)
                let verified = try await openssl([
                    "verify", "-x509_strict", "-CAfile", root, "-purpose", good, "-verify_hostname", "a.example.com",
                    leaf,
                ])
                #expect(verified.succeeded, "\(verified.text)")
                let byAddress = try await openssl(["verify", "-CAfile", root, "-verify_ip", "fd00::1", leaf])
                #expect(byAddress.succeeded, "\(byAddress.text)")
                let refused = try await openssl(["verify", "-CAfile", root, "-purpose", bad, leaf])
                #expect(!refused.succeeded)
            }
            let stranger = try openssl.file("other.crt", authority().bundle)
            let leaf = try openssl.file(
                "leaf.crt",
                CertificateIssuer(keyset: keyset).issue(profile, now: now).certificate
            )
            #expect(try await !openssl(["verify", "-CAfile", stranger, leaf]).succeeded)
        }
    }

    @Test func privateKeysArePKCS8AndBelongToTheirCertificate() async throws {
        try await Openssl.inDirectory { openssl in
            let issued = try CertificateIssuer(keyset: authority()).issue(profile, now: now)
            #expect(issued.privateKey.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
            let key = try openssl.file("leaf.key", issued.privateKey)
            let certificate = try openssl.file("leaf.crt", issued.certificate)
            let checked = try await openssl(["pkey", "-in", key, "-check", "-noout"])
            #expect(checked.succeeded, "\(checked.text)")
            let fromKey = try await openssl(["pkey", "-in", key, "-pubout"]).text
            let fromCertificate = try await openssl(["x509", "-in", certificate, "-noout", "-pubkey"]).text
            #expect(fromKey == fromCertificate)
        }
    }

    @Test func aBareKeyIsAPair() async throws {
        try await Openssl.inDirectory { openssl in
            let keyset = KeysetGenerator.bareKey(name: "service-account")
            let pair = try #require(keyset.primaryPair)
            let key = try openssl.file("sa.key", try #require(pair.privateKey))
            #expect(try await openssl(["pkey", "-in", key, "-pubout"]).text == pair.publicKey)
            #expect(pair.certificate.isEmpty)
            #expect(keyset.publicPart.pairs.allSatisfy { $0.privateKey == nil })
            #expect(throws: PKIError.noSigningPair(keyset: "service-account")) {
                try CertificateIssuer(keyset: keyset).issue(profile, now: now)
            }
        }
    }

    @Test(arguments: ["rsa", "ec"]) func importedAuthoritiesSign(_ algorithm: String) async throws {
        try await Openssl.inDirectory { openssl in
            let key = openssl.directory.appending("ca.key").string
            let certificate = openssl.directory.appending("ca.crt").string
            let kind =
                algorithm == "rsa"
                ? ["-newkey", "rsa:2048"] : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            let made = try await openssl(
                ["req", "-x509"] + kind + [
                    "-nodes", "-subj", "/CN=imported", "-days", "30", "-keyout", key, "-out", certificate,
                ]
            )
            #expect(made.succeeded, "\(made.text)")
            let pair = Keyset.Pair(
                id: "1",
                certificate: try await openssl(["x509", "-in", certificate]).text,
                privateKey: try await openssl(["pkey", "-in", key]).text
            )
            let keyset = Keyset(name: "imported", primary: "1", pairs: [pair])
            let issued = try CertificateIssuer(keyset: keyset).issue(profile, now: now)
            let leaf = try openssl.file("leaf.crt", issued.certificate)
            let verified = try await openssl(["verify", "-CAfile", certificate, "-purpose", "sslserver", leaf])
            #expect(verified.succeeded, "\(verified.text)")
            #expect(try CertificateInspector.inspect(pem: issued.certificate).isIssued(by: keyset))
        }
    }
}

@Suite struct BadCertificateInputTests {
    let now = Date()

    @Test(arguments: [
        CertificateProfile(commonName: "", usages: [.client]),
        CertificateProfile(commonName: "a", usages: []),
        CertificateProfile(commonName: "a", usages: [.client], lifetime: .zero),
        CertificateProfile(commonName: "a", dnsNames: ["exämple"], usages: [.server]),
        CertificateProfile(commonName: "a", dnsNames: [""], usages: [.server]),
        CertificateProfile(commonName: "a", ipAddresses: ["10.0.0.256"], usages: [.server]),
        CertificateProfile(commonName: "a", ipAddresses: ["host"], usages: [.server]),
    ]) func impossibleProfilesAreRefused(_ profile: CertificateProfile) throws {
        let issuer = CertificateIssuer(
            keyset: try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: now)
        )
        #expect { try issuer.issue(profile, now: now) } throws: {
            ($0 as? PKIError)?.code == "certificate-profile-invalid"
        }
    }

    @Test func keysetsThatCannotSignSayWhy() throws {
        let profile = CertificateProfile(commonName: "a", usages: [.client])
        let keyset = try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: now)
        #expect(throws: PKIError.noPrivateKey(keyset: "ca")) {
            try CertificateIssuer(keyset: keyset.publicPart).issue(profile, now: now)
        }
        var mixed = keyset
        mixed.pairs[0].privateKey = KeysetGenerator.bareKey(name: "other").primaryPair?.privateKey
        #expect(throws: PKIError.keyMismatch(keyset: "ca")) {
            try CertificateIssuer(keyset: mixed).issue(profile, now: now)
        }
        mixed.primary = "nobody"
        #expect(throws: PKIError.noSigningPair(keyset: "ca")) {
            try CertificateIssuer(keyset: mixed).issue(profile, now: now)
        }
    }

    @Test func garbageIsUnreadableAndNeverQuoted() throws {
        for text in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            #expect { try CertificateInspector.inspect(pem: text) } throws: {
                ($0 as? PKIError)?.code == "pem-unreadable"
            }
        }
        var keyset = try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: now)
        keyset.pairs[0].privateKey = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
        #expect {
            try CertificateIssuer(keyset: keyset).issue(
                CertificateProfile(commonName: "a", usages: [.client]),
                now: now
            )
        } throws: {
            !"\($0)".contains("c2VjcmV0") && ($0 as? PKIError)?.code == "pem-unreadable"
        }
    }

    @Test func authoritiesNeedANameAndAnEnd() {
        #expect(throws: PKIError.self) {
            try KeysetGenerator.certificateAuthority(name: "ca", commonName: "", now: now)
        }
        #expect(throws: PKIError.self) {
            try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: now, years: 0)
        }
    }

    @Test func identifiersGrowWithTime() throws {
        let old = KeysetGenerator.bareKey(name: "a", now: now)
        let young = KeysetGenerator.bareKey(name: "a", now: now + 1)
        #expect(try #require(Int64(old.primary)) < #require(Int64(young.primary)))
    }
}
