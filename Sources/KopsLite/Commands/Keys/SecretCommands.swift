// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// Who gets a secret.
enum SecretAudience: String, ExpressibleByArgument, CaseIterable {
    case all
    case controlPlane = "control-plane"
    case node

    /// The readers it is sealed to.
    var readers: [SecretReader] {
        switch self {
        case .all: [.controlPlane, .node]
        case .controlPlane: [.controlPlane]
        case .node: [.node]
        }
    }
}

extension SecretStore {
    /// Whose machines have a secret.
    fileprivate func readers(of name: String) async throws -> [SecretReader] {
        var readers: [SecretReader] = []
        for reader in SecretAudience.all.readers where try await has(name, for: reader) { readers.append(reader) }
        return readers
    }
}

struct CreateSecretCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret",
        abstract: "Give machines a secret.",
        discussion: """
            Machines get it as the file /etc/kopslite/secrets/NAME, which only root reads, once the generation that names it is \
            published; dockerconfig becomes /root/.docker/config.json as well. In the store it is sealed to its readers.
            """
    )

    @Argument(help: "The secret's name: a-z, 0-9 and dashes.")
    var secret: String
    @OptionGroup var input: FilenameOption
    @Option(name: .customLong("for"), help: "Whose machines get it: all, control-plane or node.")
    var audience = SecretAudience.all
    @Flag(help: "Replace one that is there; machines that --for leaves out lose it.")
    var force = false
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    /// More than any secret needs, and little enough to be sealed whole.
    private static let limit = 1 << 20

    func run(in session: Session) async throws {
        guard DNSName.isLabel(secret) else {
            throw CommandFailure(
                "\"\(secret)\" is no name of a secret",
                remedy: "use a-z, 0-9 and dashes, 63 at the most"
            )
        }
        let repository = try state.repository(in: session)
        let cluster = try nameOption.resolve(nil, in: session)
        _ = try await repository.existing(cluster)
        guard let filename = input.filename else {
            throw CommandFailure("no file holds the secret", remedy: "name it with -f FILE, - for standard input")
        }
        let bytes = try session.readFile(filename)
        guard bytes.count <= Self.limit, !bytes.isEmpty else {
            throw CommandFailure("\(filename) has \(bytes.count) bytes", remedy: "a secret has 1 byte to 1 MiB")
        }
        let keyring = try await repository.keyringPlace(of: cluster).existing()
        let secrets = SecretStore(store: repository.store, layout: ClusterLayout(clusterName: cluster))
        let name = SecretStore.fileName(secret)
        let held = try await secrets.readers(of: name)
        guard held.isEmpty || force else {
            throw CommandFailure("\(cluster) has a secret \(secret) already", remedy: "replace it with --force")
        }
        for reader in audience.readers {
            try await secrets.write(bytes, as: name, for: reader, keyring: keyring, when: force ? .always : .absent)
        }
        // A copy for somebody else would go on to be given out with what the secret was before.
        let former = held.filter { !audience.readers.contains($0) }
        for reader in former { try await secrets.remove(name, for: reader) }
        session.console.line((held.isEmpty ? "Created" : "Replaced") + " secret/\(secret)")
        if !former.isEmpty {
            let who = former.map(\.rawValue).joined(separator: ", ")
            session.console.line("No longer for \(who) machines; their copies stay until nodeup runs with --prune")
        }
        session.console.line("To give it to the machines, run: kopslite update cluster \(cluster) --yes")
    }
}

struct GetSecrets: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets",
        abstract: "Show the names of secrets and who reads them, never what they hold.",
        aliases: ["secret"]
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try nameOption.resolve(clusterName, in: session)
        _ = try await repository.existing(cluster)
        let secrets = SecretStore(store: repository.store, layout: ClusterLayout(clusterName: cluster))
        var readers: [String: [String]] = [:]
        for reader in SecretAudience.all.readers {
            for name in try await secrets.files(for: reader) { readers[name, default: []].append(reader.rawValue) }
        }
        guard !readers.isEmpty else {
            throw CommandFailure(
                "\(cluster) has no secrets",
                remedy: "create one with kopslite create secret NAME -f FILE --name \(cluster)"
            )
        }
        let rows = readers.map { [$0.key, $0.value.joined(separator: ",")] }
        session.console.output(Table(["NAME", "READERS"], rows: rows).text)
    }
}

struct DeleteSecretCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret",
        abstract: "Show which secret would be removed; remove it with --yes."
    )

    @Argument(help: "The secret's name.")
    var secret: String
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Flag(name: [.short, .long], help: "Remove it.")
    var yes = false

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try nameOption.resolve(nil, in: session)
        _ = try await repository.existing(cluster)
        let secrets = SecretStore(store: repository.store, layout: ClusterLayout(clusterName: cluster))
        let name = SecretStore.fileName(secret)
        let readers = try await secrets.readers(of: name)
        guard !readers.isEmpty else {
            throw CommandFailure("\(cluster) has no secret \(secret)", remedy: "see kopslite get secrets \(cluster)")
        }
        guard yes else {
            session.console.line("secret/\(secret)\t\(readers.map(\.rawValue).joined(separator: ","))")
            session.console.line()
            return session.console.line("Must specify --yes to delete secret")
        }
        for reader in readers { try await secrets.remove(name, for: reader) }
        session.console.line("Deleted secret/\(secret)")
        session.console.line(
            "To let machines forget it, run: kopslite update cluster \(cluster) --yes; their copies stay until nodeup runs with"
                + " --prune"
        )
    }
}
