// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import KopsModel
import PKI
import StateStore

/// What the keypair commands share: the keyset they name, and the gate before each step.
struct KeypairOptions: ParsableArguments {
    /// The keyset of the keys that sign generations; they are in the keyring.
    static let signing = "signing"

    @Argument(help: "The keyset: \((KeysetName.controlPlane + [Self.signing]).joined(separator: ", ")).")
    var keyset: String
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Flag(help: "Go on although machines have not followed the last change of keys.")
    var force = false

    /// Everything a step needs, once it may be done.
    func open(in session: Session) async throws -> KeypairWork {
        guard (KeysetName.controlPlane + [Self.signing]).contains(keyset) else {
            throw CommandFailure(
                "there is no keyset \(keyset)",
                remedy: "keysets: \((KeysetName.controlPlane + [Self.signing]).joined(separator: ", "))"
            )
        }
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(nil, in: session))
        let work = KeypairWork(repository: repository, cluster: cluster, name: keyset, now: session.now())
        try await work.checkFollowed(session.console, isForced: force)
        return work
    }
}

/// A change of one keyset of a cluster.
struct KeypairWork {
    let repository: ClusterRepository
    let cluster: ResolvedCluster
    let name: String
    let now: Date

    var isSigning: Bool { name == KeypairOptions.signing }

    /// Changes the keyset by a step.
    func apply(_ step: KeysetStep) async throws {
        let secrets = try await repository.secrets(of: cluster.name)
        let (keyset, version) = try await secrets.keyset(name)
        try await secrets.write(try step.applied(to: keyset), when: .version(version))
    }

    /// Changes the keys that sign generations.
    func applyToSigning(_ change: (inout [SigningKey]) throws -> Void) async throws {
        let place = repository.keyringPlace(of: cluster.name)
        guard let found = try await place.load() else {
            throw KeyringError.missing(cluster: cluster.name, place: try place.description)
        }
        var keyring = found.keyring
        try change(&keyring.signing)
        try await place.save(keyring, over: found)
    }

    /// A new pair of the kind that the keyset has.
    func newPair(years: Int) throws -> Keyset.Pair {
        let made =
            name == KeysetName.serviceAccount
            ? KeysetGenerator.bareKey(name: name, now: now)
            : try KeysetGenerator.certificateAuthority(name: name, commonName: name, now: now, years: years)
        guard let pair = made.pairs.first else { throw CommandFailure("no pair was made for keyset \(name)") }
        return pair
    }

    /// Says what was done, once it is written, and what comes next.
    func tell(_ done: String, _ console: Console) {
        console.line(done)
        console.line()
        console.line("To publish it: kopslite update cluster \(cluster.name) --yes")
        console.line(
            "Then let every machine run nodeup, and see how far they are: kopslite get keypairs \(cluster.name)"
        )
    }

    /// How far machines are; `nil` before anything was published.
    func progress() async throws -> RotationProgress? {
        let reader = try await repository.generations(of: cluster.name)
        guard let head = try await reader.head()?.head.generation else { return nil }
        return RotationProgress(
            cluster: cluster,
            head: head,
            board: try await StatusBoard.read(of: cluster.name, in: repository.store)
        )
    }

    /// Refuses a step while the last one is not published, or not followed everywhere, and shows who is behind.
    func checkFollowed(_ console: Console, isForced: Bool) async throws {
        guard let progress = try await progress() else { return }
        console.note(progress.text)
        guard !isForced else { return }
        if let reason = try await unpublished() {
            throw CommandFailure(
                reason,
                remedy: "publish it with kopslite update cluster \(cluster.name) --yes, or pass --force"
            )
        }
        guard progress.waiting.isEmpty else {
            throw CommandFailure(
                "generation \(progress.head) is not followed by \(progress.waiting.joined(separator: ", "))",
                remedy: "let nodeup run there, or pass --force and lose what still trusts the old keys only"
            )
        }
    }

    /// What of the keys as they are no generation tells machines yet.
    private func unpublished() async throws -> String? {
        let current = try await repository.generations(of: cluster.name).current()
        let secrets = try await repository.secrets(of: cluster.name)
        if secrets.keyring.trust != current.manifest.trust { return "a change of the signing keys is not published" }
        let keys = try await secrets.published()
        for group in cluster.groups where group.spec.role.role == .controlPlane {
            let bytes = try await current.object(named: "nodes/\(group.metadata.name).json")
            let config = try JSONDecoder().decode(NodeConfig.self, from: Data(bytes))
            guard config.certificateAuthorities == keys.authorities, config.signingPairs == keys.signingPairs else {
                return "a change of the keysets is not published"
            }
        }
        return nil
    }
}
