// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import NodeOS
public import PKI
public import SystemPackage

/// A certificate and its key, issued on the machine, found on disk by later runs and kept.
///
/// - Shape: `certificate` {`certificate`, `key`, `profile`, `signer`, `mode` (of the key, `0600`), `owner`, `group`,
///   `ensure`}; `signer` is {`keyset`: a keyset} or {`path`: a keyset's file on the machine}.
/// - Issued anew when it cannot be read, says other things than the profile, was not signed by the keyset, does not fit
///   its key, or two thirds of its life are over. The profile's `days` count for new certificates only.
public struct CertificateTask: DeclaredTask {
    /// Who signs.
    public enum Signer: Sendable, Equatable, CustomStringConvertible {
        case keyset(Keyset)
        /// A keyset as JSON in a file on the machine.
        case file(FilePath)

        /// Never a key.
        public var description: String {
            switch self {
            case .keyset(let keyset): keyset.name
            case .file(let path): path.string
            }
        }
    }

    /// The pair as it is.
    public struct Found: Sendable, Equatable {
        /// Why it has to be issued anew; `nil` when it is good.
        var fault: String?
        /// `nil` when the file is not there.
        var certificate: FoundAttributes?
        var key: FoundAttributes?
    }

    /// Effects on a certificate.
    public enum Step: PlannedStep {
        case issue(fault: String?, subject: String)
        case setCertificateAttributes(AttributesStep)
        case setKeyAttributes(AttributesStep)
        case remove

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .issue(let fault, let subject):
                Change("certificate", from: fault.map { .text($0) }, to: .text(subject))
            case .setCertificateAttributes(let step), .setKeyAttributes(let step): step.change
            case .remove: Change("certificate", from: .text("present"))
            }
        }
        /// All lines of a plan.
        public var changes: [Change] {
            switch self {
            case .setCertificateAttributes(let step): step.changes
            case .setKeyAttributes(let step):
                step.changes.map { Change("key's \($0.field)", from: $0.from, to: $0.to) }
            case .issue, .remove: [change]
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "certificate"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// Where the certificate lies (PEM).
    public let certificate: FilePath
    /// Where its key lies (PEM).
    public let key: FilePath
    let profile: CertificateProfile
    let signer: Signer
    /// Of the key; the certificate has 0644 and the same owner.
    let attributes: Attributes
    /// Whether it is to be there.
    public let ensure: Ensure
    let now: @Sendable () -> Date

    /// Declares a certificate.
    public init(
        certificate: FilePath,
        key: FilePath,
        profile: CertificateProfile,
        signer: Signer,
        mode: UInt16 = 0o600,
        owner: String? = nil,
        group: String? = nil,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = [],
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.id = id ?? Self.defaultID(certificate.string)
        self.after = after
        self.certificate = certificate
        self.key = key
        self.profile = profile
        self.signer = signer
        self.attributes = Attributes(mode: mode, owner: owner, group: group)
        self.ensure = ensure
        self.now = now
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "certificate", "key", "profile", "signer", "mode", "owner", "group")
        let ensure = try fields.ensure()
        let attributes = try Attributes(fields, defaultMode: 0o600)
        let isFull = ensure == .present
        self.init(
            certificate: try fields.path("certificate"),
            key: try fields.path("key"),
            profile: isFull ? try fields.value("profile", ProfileValue.self).profile : Self.noProfile,
            signer: isFull ? try fields.value("signer", SignerValue.self).signer : .file("/"),
            mode: attributes.mode,
            owner: attributes.owner,
            group: attributes.group,
            ensure: ensure
        )
        guard key != certificate else { throw fields.refuse("key", "is the certificate's path") }
    }

    private static let noProfile = CertificateProfile(commonName: "", usages: [])

    private var certificateAttributes: Attributes {
        Attributes(mode: 0o644, owner: attributes.owner, group: attributes.group)
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["certificate": certificate.string, "key": key.string] }
    /// What it makes and needs.
    public var claims: Claims {
        guard ensure == .present else { return Claims(clears: [certificate, key]) }
        var uses = attributes.uses
        if case .file(let path) = signer { uses.append(.path(path)) }
        return Claims(owns: [.path(certificate), .path(key)], uses: uses)
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        let found = Found(
            fault: ensure == .present ? try await fault(on: node) : nil,
            certificate: try await attributes(of: certificate, wanted: certificateAttributes, on: node),
            key: try await attributes(of: key, wanted: attributes, on: node)
        )
        return found.certificate == nil && found.key == nil ? nil : found
    }

    private func attributes(
        of path: FilePath,
        wanted: Attributes,
        on node: any NodeReader
    ) async throws -> FoundAttributes? {
        guard let status = try await node.status(of: path) else { return nil }
        guard status.kind == .regular || status.kind == .symlink else {
            throw conflict("not-a-file", "\(path) is \(status.kind.noun); a certificate is declared")
        }
        return try await FoundAttributes(status, wanted: wanted, on: node)
    }

    private func fault(on node: any NodeReader) async throws -> String? {
        guard let pem = try await node.text(of: certificate) else { return "no certificate" }
        guard let keyText = try await node.text(of: key) else { return "no key" }
        guard let facts = try? CertificateInspector.inspect(pem: pem) else { return "unreadable" }
        guard facts.belongs(toPrivateKey: keyText) else { return "another key's" }
        guard facts.says(profile) else { return "CN=\(facts.commonName) with other names or usages" }
        guard let keyset = try await keyset(on: node), facts.isIssued(by: keyset) else { return "signed by another" }
        return facts.isDue(at: now(), authorityEnd: keyset.end) ? "near its end" : nil
    }

    private func keyset(on node: any NodeReader) async throws -> Keyset? {
        switch signer {
        case .keyset(let keyset): return keyset
        case .file(let path):
            guard let text = try await node.text(of: path) else { return nil }
            // The decoder's words could quote a key, so they are dropped.
            return try? JSONDecoder().decode(Keyset.self, from: Data(text.utf8))
        }
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else { return found == nil ? [] : [.remove] }
        let subject = "CN=\(profile.commonName) by \(signer)"
        guard let found else { return [.issue(fault: nil, subject: subject)] }
        if let fault = found.fault { return [.issue(fault: fault, subject: subject)] }
        var steps: [Step] = []
        if let step = found.certificate.flatMap({ AttributesStep(from: $0, to: certificateAttributes) }) {
            steps.append(.setCertificateAttributes(step))
        }
        if let step = found.key.flatMap({ AttributesStep(from: $0, to: attributes) }) {
            steps.append(.setKeyAttributes(step))
        }
        return steps
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .issue: try await issue(on: node)
        case .setCertificateAttributes(let step): try await step.apply(to: certificate, on: node)
        case .setKeyAttributes(let step): try await step.apply(to: key, on: node)
        case .remove:
            try await node.remove(certificate)
            try await node.remove(key)
        }
    }

    /// Writes the key first: until the certificate follows, `find` sees that the two do not belong together.
    private func issue(on node: any NodeWriter) async throws {
        guard let keyset = try await keyset(on: node) else {
            throw Failure(
                .permanent,
                code: "signer-missing",
                "issue \(certificate): \(signer) holds no readable keyset",
                hint: "put the authority's keyset there, or correct the signer"
            )
        }
        let issued: IssuedCertificate
        do {
            issued = try CertificateIssuer(keyset: keyset).issue(profile, now: now())
        } catch {
            throw Failure(
                .permanent,
                code: "certificate-not-issued",
                "issue \(certificate)",
                hint: "correct the names and addresses of the profile, or the keyset",
                cause: error
            )
        }
        let keyAttributes = try await attributes.resolved(for: key, on: node)
        let certificateAttributes = try await certificateAttributes.resolved(for: certificate, on: node)
        try await node.makeParent(of: key)
        try await node.write([UInt8](issued.privateKey.utf8), to: key, attributes: keyAttributes)
        try await node.makeParent(of: certificate)
        try await node.write([UInt8](issued.certificate.utf8), to: certificate, attributes: certificateAttributes)
    }
}
