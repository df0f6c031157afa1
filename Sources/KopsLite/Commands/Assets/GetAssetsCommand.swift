// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import KopsModel
import StateStore
import SystemPackage

/// `get assets NAME` shows, and with --copy mirrors, every byte that a cluster's machines download.
struct GetAssets: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "assets",
        abstract: "Show every file that machines download; copy them with --copy --to URL."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Flag(help: "Copy them to --to.")
    var copy = false
    @Option(help: "A directory or bucket of one's own, such as file:///srv/assets or s3://bucket/assets.")
    var to: String?
    @Option(name: [.short, .long], help: "table, yaml or json.")
    var output: OutputFormat = .table

    func validate() throws {
        guard copy == (to != nil) else { throw ValidationError("--copy and --to URL go together") }
    }

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        let lock = try await session.assets(cluster)
        if let to {
            let console = session.console
            try await session.mirror(lock, try session.openStore(to)) { console.line($0) }
            console.line()
            console.line(Self.use(of: to))
            return
        }
        switch output {
        case .table:
            let rows = lock.assets.map { entry in
                let roles = entry.roles.isEmpty ? "all" : entry.roles.map(\.rawValue).joined(separator: ",")
                return [entry.name, entry.size.map(String.init) ?? "-", entry.sha256, roles, entry.sources.first ?? ""]
            }
            session.console.output(Table(["NAME", "SIZE", "SHA256", "ROLES", "SOURCE"], rows: rows).text)
        case .json, .yaml: try ObjectPrinter(console: session.console).value(lock, format: output)
        }
    }

    /// What lets machines find a mirror: they speak HTTP, and no bucket's own protocol.
    static func use(of mirror: String) -> String {
        let field = "set spec.assets.fileRepository to"
        if ClusterCheck.isFileRepository(mirror) { return "To use it, \(field) \(mirror)." }
        // A query names another server than the cloud's own.
        let bucket = mirror.contains("?") ? nil : BucketLocation(url: mirror)
        let example = bucket.map { ", such as \($0.publicURL)" } ?? ""
        return "To use it, serve it to machines over HTTP, and \(field) its URL there\(example)."
    }
}

/// `bundle NAME --out DIR` makes one directory for a site without a network.
struct BundleCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Make one directory with all that a site without a network needs of a cluster.",
        discussion: """
            DIR/assets is a file repository with every file of the lock; DIR/cluster.yaml is the declaration, with that \
            repository and assets.sealed set. Packages of the operating system are not in it.
            """
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(help: "The directory, made where it is missing.")
    var out: String
    @Option(help: "The URL under which machines will find DIR/assets; file://DIR/assets when not given.")
    var url: String?

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let name = try nameOption.resolve(clusterName, in: session)
        let cluster = try await repository.resolved(name)
        let directory = try Self.absolute(out)
        let assets = "file://\(directory)/assets"
        let found = url ?? assets
        guard ClusterCheck.isFileRepository(found) else {
            let option = SpecPath(url == nil ? "--out" : "--url")
            throw CommandFailure(ClusterCheck.badFileRepository(found, at: option).description)
        }
        let console = session.console
        try await session.mirror(try await session.assets(cluster), try session.openStore(assets)) { console.line($0) }
        var declared = try await repository.existing(name)
        declared.spec.assets = AssetSource(fileRepository: found)
        declared.spec.assets?.sealed = true
        let objects = [.cluster(declared)] + (try await repository.groups(of: name)).map(APIObject.instanceGroup)
        let text = try YamlText.documents(objects.map(\.document))
        try await session.openStore("file://\(directory)")
            .write(Array(text.utf8), to: StoreKey("cluster.yaml"), when: .always)
        console.line("cluster.yaml")
        console.line()
        console.line("At the site: kopslite create -f \(directory)/cluster.yaml")
    }

    private static func absolute(_ path: String) throws -> String {
        let path = FilePath(path)
        guard path.isRelative else { return path.lexicallyNormalized().string }
        return FilePath(FileManager.default.currentDirectoryPath).pushing(path).lexicallyNormalized().string
    }
}
