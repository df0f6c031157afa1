// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
import Fetch
import NodeOS
import SystemPackage

/// `etcd migrate` copies the keys of version 2 to version 3, switches over, or takes the copies away.
struct EtcdMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring an etcd's version 2 keys to version 3 while it serves.",
        discussion: """
            Copies every key and compares it; run it again after any interruption, and as often as you like. Version 2 stays \
            as it is. Once whatever writes version 2 has been stopped, --switch compares once more and ends the migration; \
            before that, --rollback takes every copy away. Ends with status 0 when that is done, 1 when it is not.
            """
    )

    @Option(help: "Where the members serve clients, separated by commas, such as https://10.0.0.1:2379.")
    var endpoints: String
    @Option(help: "PEM file: who may sign the members' certificates.")
    var cacert: String?
    @Option(help: "PEM file: our certificate.")
    var cert: String?
    @Option(help: "PEM file: our certificate's key.")
    var key: String?
    @Option(help: "The file that says how far the migration is.")
    var record = "/var/lib/kopslite/etcd-migration.json"
    @Flag(name: .customLong("switch"), help: "End it: from then on version 3 is what counts.")
    var switches = false
    @Flag(help: "Undo it: take every copy away.")
    var rollback = false

    func validate() throws {
        let urls = members
        guard !urls.isEmpty, urls.allSatisfy({ $0.hasPrefix("http://") || $0.hasPrefix("https://") }) else {
            throw ValidationError("--endpoints: \(endpoints) is no list of http:// or https:// URLs")
        }
        if (cert == nil) != (key == nil) { throw ValidationError("--cert and --key belong together") }
        if cacert == nil, cert != nil || urls.contains(where: { $0.hasPrefix("https://") }) {
            throw ValidationError("--cacert says who may sign the members' certificates, and is missing")
        }
        if switches, rollback { throw ValidationError("--switch and --rollback exclude each other") }
    }

    func run() async throws {
        do {
            let node = LiveNode()
            let migration = EtcdMigration(
                gateway: EtcdGateway(http: CurlClient(), identity: try await identity(node)),
                endpoints: members,
                record: FileMigrationRecord(node: node, path: FilePath(record)),
                clock: ContinuousClock(),
                progress: { Self.say("\($0)") }
            )
            try await MigrationRun(migration: migration, say: Self.say).carryOut(step)
        } catch let failure as Failure {
            Self.complain(failure.line)
            throw ExitCode.failure
        } catch let error as EtcdError {
            Self.complain("\(error); run it again once a quorum of members answers")
            throw ExitCode.failure
        }
    }

    @Sendable private static func say(_ text: String) { Console.print(Console.line(text)) }
    private static func complain(_ text: String) { Console.error("error: " + Console.line(text)) }
    private var members: [String] { endpoints.split(separator: ",").map(String.init) }
    private var step: MigrationRun.Step { switches ? .switchOver : rollback ? .rollBack : .copy }

    private func identity(_ node: any NodeReader) async throws -> TLSIdentity? {
        func text(_ path: String) async throws -> String {
            do {
                return String(decoding: try await node.read(FilePath(path)), as: UTF8.self)
            } catch {
                throw Failure(.permanent, code: "credentials-missing", "\(path) cannot be read", cause: error)
            }
        }
        guard let cacert else { return nil }
        var identity = TLSIdentity(authorities: try await text(cacert))
        if let cert, let key {
            (identity.certificate, identity.privateKey) = (try await text(cert), try await text(key))
        }
        return identity
    }
}
