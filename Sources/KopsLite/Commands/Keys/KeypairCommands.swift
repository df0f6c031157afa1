// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import KopsModel
import PKI
import StateStore

struct CreateKeypairCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "keypair",
        abstract: "Make the next pair of a keyset; it is trusted, and signs once it is promoted.",
        discussion: "A new key of the keyset signing signs every generation beside the old one from its publication on."
    )

    @OptionGroup var options: KeypairOptions
    @Option(help: "How many years it is valid, 10 when not given; keys of \(KeysetName.serviceAccount) do not expire.")
    var years: Int?

    func validate() throws {
        guard let years else { return }
        guard (1...100).contains(years) else {
            throw ValidationError("--years needs a number of 1 to 100, not \(years)")
        }
        guard options.keyset != KeysetName.serviceAccount else {
            throw ValidationError("--years is of no use to \(options.keyset), whose keys do not expire; leave it out")
        }
    }

    func run(in session: Session) async throws {
        let work = try await options.open(in: session)
        let years = years ?? 10
        if work.isSigning {
            let key = SigningKey(notAfter: session.now().addingTimeInterval(Double(years) * 365 * 86400))
            try await work.applyToSigning { $0.append(key) }
            return work.tell("Created keypair signing/\(key.id)", session.console)
        }
        let pair = try work.newPair(years: years)
        try await work.apply(.create(pair))
        work.tell("Created keypair \(work.name)/\(pair.id)", session.console)
    }
}

/// `promote keypair KEYSET [ID]`.
struct PromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Let another pair of a keyset sign.",
        subcommands: [PromoteKeypairCommand.self]
    )
}

struct PromoteKeypairCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "keypair",
        abstract: "Let a pair of a keyset sign; the youngest when none is named."
    )

    @OptionGroup var options: KeypairOptions
    @Argument(help: "The pair's identifier.")
    var id: String?

    func run(in session: Session) async throws {
        let work = try await options.open(in: session)
        guard !work.isSigning else {
            throw CommandFailure(
                "every signing key signs as soon as it is made",
                remedy: "end the old one with kopslite distrust keypair signing ID"
            )
        }
        try await work.apply(.promote(id))
        work.tell("Promoted keypair \(work.name)", session.console)
    }
}

/// `trust keypair KEYSET ID`.
struct TrustCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Believe a pair of a keyset again.",
        subcommands: [TrustKeypairCommand.self]
    )
}

struct TrustKeypairCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "keypair",
        abstract: "Believe a pair of a keyset again."
    )

    @OptionGroup var options: KeypairOptions
    @Argument(help: "The pair's identifier.")
    var id: String

    func run(in session: Session) async throws {
        let work = try await options.open(in: session)
        guard !work.isSigning else {
            throw CommandFailure(
                "a signing key that was distrusted is gone",
                remedy: "make a new one with create keypair"
            )
        }
        try await work.apply(.trust(id))
        work.tell("Trusted keypair \(work.name)/\(id)", session.console)
    }
}

/// `distrust keypair KEYSET ID`.
struct DistrustCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "distrust",
        abstract: "Believe what a pair of a keyset signed no more.",
        subcommands: [DistrustKeypairCommand.self]
    )
}

struct DistrustKeypairCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "keypair",
        abstract: "Believe what a pair of a keyset signed no more."
    )

    @OptionGroup var options: KeypairOptions
    @Argument(help: "The pair's identifier.")
    var id: String

    func run(in session: Session) async throws {
        let work = try await options.open(in: session)
        if work.isSigning {
            try await work.applyToSigning { keys in
                guard keys.contains(where: { $0.id == id }) else {
                    throw CommandFailure(
                        "there is no signing key \(id)",
                        remedy: "signing keys: \(keys.map(\.id).joined(separator: ", "))"
                    )
                }
                guard keys.count > 1 else {
                    throw CommandFailure(
                        "\(id) is the only signing key",
                        remedy: "make the next one first with kopslite create keypair signing"
                    )
                }
                keys.removeAll { $0.id == id }
            }
        } else {
            try await work.apply(.distrust(id))
        }
        work.tell("Distrusted keypair \(work.name)/\(id)", session.console)
    }
}

struct GetKeypairs: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "keypairs",
        abstract: "Show the pairs of every keyset, and how far machines have followed.",
        aliases: ["keypair"]
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        let secrets = try await repository.secrets(of: cluster.name)
        var rows: [[String]] = []
        for name in KeysetName.controlPlane {
            let keyset = try await secrets.keyset(name).keyset
            rows += keyset.pairs.map { pair in
                let until = (try? CertificateInspector.inspect(pem: pair.certificate).notAfter).map {
                    $0.formatted(.iso8601)
                }
                return [name, pair.id, Self.state(of: pair, in: keyset), until ?? "-"]
            }
        }
        rows += secrets.keyring.signing.map { [KeypairOptions.signing, $0.id, "signs", $0.notAfter] }
        session.console.output(Table(["KEYSET", "ID", "STATE", "EXPIRES"], rows: rows, isSorted: false).text)
        let work = KeypairWork(
            repository: repository,
            cluster: cluster,
            name: KeypairOptions.signing,
            now: session.now()
        )
        if let progress = try await work.progress() { session.console.output("\n" + progress.text) }
    }

    private static func state(of pair: Keyset.Pair, in keyset: Keyset) -> String {
        if pair.isDistrusted == true { return "distrusted" }
        return pair.id == keyset.primary ? "signs" : "trusted"
    }
}
