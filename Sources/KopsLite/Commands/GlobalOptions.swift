// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// The store every command works in.
struct StateOption: ParsableArguments {
    @Option(help: "The state store's URL, such as file:///srv/kopslite; KOPS_STATE_STORE when not given.")
    var state: String?

    @Option(
        help: """
            The file of the cluster's keyring, or a directory of them; KOPSLITE_KEYRING when not given, and the store's \
            private/admin when that is not set either.
            """
    )
    var keyring: String?

    /// Opens the store and says where the keyrings of its clusters are.
    func repository(in session: Session) throws -> ClusterRepository {
        let file = keyring ?? session.environment["KOPSLITE_KEYRING"]
        return ClusterRepository(store: try open(in: session), keyringFile: file.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// Opens the store.
    func open(in session: Session) throws -> any StateStore {
        let given = state ?? session.environment["KOPS_STATE_STORE"] ?? ""
        var url = given
        while url.hasSuffix("/"), !url.hasSuffix("//") { url.removeLast() }
        guard !url.isEmpty else {
            throw CommandFailure("no state store is given", remedy: "pass --state URL, or export KOPS_STATE_STORE")
        }
        return try session.openStore(url)
    }
}

/// The cluster a command works on, by `--name` or the environment.
struct NameOption: ParsableArguments {
    @Option(help: "The cluster's name; KOPS_CLUSTER_NAME when not given.")
    var name: String?

    /// The one name that was given.
    ///
    /// A name on the command line goes over the environment's, for the person typing it means it.
    func resolve(_ argument: String?, in session: Session) throws -> String {
        if let name, let argument, name != argument {
            throw CommandFailure("two clusters are named, \(argument) and --name \(name)", remedy: "name one")
        }
        let found = argument ?? name ?? session.environment["KOPS_CLUSTER_NAME"] ?? ""
        guard !found.isEmpty else {
            throw CommandFailure("no cluster is named", remedy: "give its name, or export KOPS_CLUSTER_NAME")
        }
        guard DNSName.isClusterName(found) else {
            throw CommandFailure(ClusterCheck.badName(found, at: SpecPath()).description)
        }
        return found
    }
}

/// The file a command reads.
struct FilenameOption: ParsableArguments {
    @Option(name: [.customShort("f"), .customLong("filename")], help: "The file to read, - for standard input.")
    var filename: String?
}

/// How a result is shown.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case yaml
    case json
}

/// A time such as `10m` on the command line.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    /// Reads numbers with units `h`, `m`, `s`, such as `1h30m`; `nil` for anything else.
    init?(argument: String) {
        var seconds = 0
        var number = ""
        for letter in argument {
            if letter.isASCII, letter.isNumber {
                number.append(letter)
                continue
            }
            guard let factor = ["h": 3600, "m": 60, "s": 1][String(letter)], let value = Int(number), value < 1 << 30
            else { return nil }
            seconds += value * factor
            number = ""
        }
        guard number.isEmpty, !argument.isEmpty else { return nil }
        duration = .seconds(seconds)
    }
}
