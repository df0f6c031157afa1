// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import PKI

extension CertificateFacts {
    /// Whether it says what a profile wants; the order of names means nothing.
    func says(_ profile: CertificateProfile) -> Bool {
        commonName == profile.commonName && organizations.sorted() == profile.organizations.sorted()
            && dnsNames.sorted() == profile.dnsNames.sorted()
            && ipAddresses.sorted() == profile.ipAddresses.map { $0.lowercased() }.sorted()
            && Set(usages) == Set(profile.usages)
    }

    /// Whether it is time for a new one: two thirds of its life are over, or it is not valid now.
    ///
    /// One that ends with its authority is kept to the end, for no new one would outlive it.
    func isDue(at now: Date, authorityEnd: Date) -> Bool {
        guard now >= notBefore, now < notAfter else { return true }
        let life = notAfter.timeIntervalSince(notBefore)
        return now.timeIntervalSince(notBefore) >= life * 2 / 3 && notAfter < authorityEnd
    }
}

/// A profile as a tasks file writes it.
struct ProfileValue: Decodable {
    var profile: CertificateProfile

    init(from decoder: any Decoder) throws {
        let fields = try Fields(
            decoder,
            "commonName",
            "organizations",
            "dnsNames",
            "ipAddresses",
            "usages",
            "days"
        )
        let usages = try fields.words("usages").map { text in
            guard let usage = CertificateProfile.Usage(rawValue: text) else {
                throw fields.refuse("usages", "hold neither server nor client")
            }
            return usage
        }
        let days = try fields.optional("days", Int.self) ?? 365
        guard (1...36_500).contains(days) else { throw fields.refuse("days", "is not between 1 and 36500") }
        guard !usages.isEmpty else { throw fields.refuse("usages", "missing") }
        profile = CertificateProfile(
            commonName: try fields.word("commonName"),
            organizations: try fields.words("organizations"),
            dnsNames: try fields.words("dnsNames"),
            ipAddresses: try fields.words("ipAddresses"),
            usages: usages,
            lifetime: .seconds(days * 86400)
        )
    }
}

/// A signer as a tasks file writes it.
struct SignerValue: Decodable {
    var signer: CertificateTask.Signer

    init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "keyset", "path")
        switch (fields.has("keyset"), fields.has("path")) {
        case (true, false): signer = .keyset(try fields.value("keyset"))
        case (false, true): signer = .file(try fields.path("path"))
        default: throw fields.refuse("keyset", "give either keyset or path")
        }
    }
}
