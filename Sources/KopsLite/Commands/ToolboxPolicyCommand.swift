// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `toolbox policy NAME` prints what machines may do in the store, for whoever gives permissions there.
struct ToolboxPolicy: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Print what a role's machines may do in the state store, and nothing more."
    )

    /// How it is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case aws
        case gcs
    }

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(help: "control-plane or node.")
    var role: String
    @Option(help: "Narrow it to one machine.")
    var machine: String?
    @Option(help: "table, aws (a policy document) or gcs (conditional bindings).")
    var format = Format.table

    func run(in session: Session) async throws {
        guard let role = InstanceRole(rawValue: role) else {
            throw CommandFailure("there is no role \(role)", remedy: "write control-plane or node")
        }
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        let known = cluster.machines.first { $0.name == machine }
        guard machine == nil || known?.role == role else {
            throw CommandFailure("there is no machine \(machine ?? "") of role \(role.rawValue) in \(cluster.name)")
        }
        let access = StoreAccess(
            of: role,
            in: ClusterLayout(clusterName: cluster.name),
            group: known?.group,
            instance: machine
        )
        guard format != .table else {
            let rows = access.rules.map { rule in
                [
                    rule.verbs.map(\.rawValue).joined(separator: ","), rule.pattern.joined(separator: "/"),
                    rule.purpose,
                ]
            }
            return session.console.output(Table(["MAY", "OBJECTS", "FOR"], rows: rows, isSorted: false).text)
        }
        guard let location = BucketLocation(url: repository.store.url),
            (location.scheme == "s3") == (format == .aws)
        else {
            throw CommandFailure(
                "\(repository.store.url) takes no policy of that kind",
                remedy: "aws is for s3:// stores, gcs for gs:// stores"
            )
        }
        let document =
            format == .aws
            ? AWSPolicy(access: access, location: location).document
            : GCSPolicy(access: access, location: location).document
        session.console.output(String(decoding: try document.encoded(), as: UTF8.self))
    }
}
