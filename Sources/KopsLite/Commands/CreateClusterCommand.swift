// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `create cluster NAME` writes a declaration from options.
struct CreateClusterCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Declare a cluster from options."
    )

    @Argument(help: "The cluster's DNS name, such as demo.example.com.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(help: "Where its machines come from.")
    var cloud = "local"
    @Option(help: "Zones for its machines, separated by commas; all of the cloud when not given.")
    var zones: String?
    @Option(help: "How many machines run workloads.")
    var nodeCount = 2
    @Option(
        name: [.customLong("control-plane-count"), .customLong("master-count")],
        help: "How many machines run the control plane and etcd: 1, 3 or 5."
    )
    var controlPlaneCount = 1
    @Option(help: "The Kubernetes release, such as \(KubernetesVersion.standard.description).")
    var kubernetesVersion = KubernetesVersion.standard.description
    @Option(help: "The URL of a tree of release files, in the layout of the official release site.")
    var fileRepository: String?
    @Option(help: "docker or containerd; docker before Kubernetes 1.24 when not given.")
    var containerRuntime: String?
    @Option(
        name: .customLong("network-cidr"),
        help: "The machines' own network; the first free one of the cloud when not given."
    )
    var networkCIDR: String?
    @Option(help: "How pods reach each other.")
    var networking = "kubenet"
    @Option(
        name: .customLong("preload-image"),
        help: "An image of the file repository that every worker holds from the start; may be repeated."
    )
    var preloadImages: [String] = []
    @Flag(help: "Print the declaration and write nothing; needs -o yaml or json.")
    var dryRun = false
    @Option(name: [.short, .long], help: "The format of --dry-run: yaml or json.")
    var output: OutputFormat?
    @Flag(name: [.short, .long], help: "Build the cluster at once.")
    var yes = false

    func run(in session: Session) async throws {
        let name = try nameOption.resolve(clusterName, in: session)
        if dryRun, output == nil || output == .table {
            throw CommandFailure("--dry-run needs a format", remedy: "pass -o yaml or -o json")
        }
        if output != nil, !dryRun { throw CommandFailure("-o is only for --dry-run", remedy: "pass --dry-run too") }
        var template = try template(name: name)
        let repository = try state.repository(in: session)
        template.takenNetworks = try await takenNetworks(in: repository, besides: name)
        let declaration = Declaration(clusterName: name, objects: template.objects)
        let resolved = try ResolvedCluster(template.cluster, groups: template.groups, store: repository.store.url)
        if dryRun {
            return try ObjectPrinter(console: session.console).documents(
                template.objects,
                format: output ?? .yaml,
                areStored: false
            )
        }
        _ = try await declaration.create(in: repository.store, now: session.now())
        session.console.line("Cluster configuration has been created.")
        guard yes else { return suggest(name, session.console) }
        session.console.line()
        try await session.update(UpdateRequest(repository: repository, cluster: resolved, isConfirmed: true), session)
    }

    private func template(name: String) throws -> ClusterTemplate {
        guard let catalog = CloudCatalog.named(cloud) else {
            let refusal = CloudCatalog.refusal(of: cloud)
            throw CommandFailure("--cloud: \(refusal.message)", remedy: refusal.remedy)
        }
        guard let version = KubernetesVersion(kubernetesVersion) else {
            throw CommandFailure(
                "--kubernetes-version: \"\(kubernetesVersion)\" is no release",
                remedy: "write it as 1.20.2"
            )
        }
        if networking != "kubenet" {
            let isKnown = NetworkingSpec.unsupported.contains(networking)
            throw CommandFailure(
                "--networking: \"\(networking)\" is \(isKnown ? "not supported by this version" : "no pod network")",
                remedy: "supported: kubenet"
            )
        }
        if let fileRepository, !ClusterCheck.isFileRepository(fileRepository) {
            throw CommandFailure(
                ClusterCheck.badFileRepository(fileRepository, at: SpecPath("--file-repository")).description
            )
        }
        return ClusterTemplate(
            name: name,
            cloud: catalog,
            zones: try zones(of: catalog),
            nodeCount: try checkedNodeCount(),
            controlPlaneCount: try checkedControlPlaneCount(),
            kubernetesVersion: version,
            containerRuntime: try runtime(),
            fileRepository: fileRepository,
            preloadImages: preloadImages,
            chosenNetwork: try chosenNetwork(),
            takenNetworks: []
        )
    }

    private func zones(of catalog: CloudCatalog) throws -> [String] {
        guard let zones else { return catalog.zones }
        let names = zones.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for (number, zone) in names.enumerated() {
            guard catalog.zones.contains(zone) else {
                throw CommandFailure(
                    ClusterCheck.unknownZone(
                        zone,
                        zones: catalog.zones,
                        cloud: catalog.name,
                        at: SpecPath("--zones")
                    ).description
                )
            }
            guard !names[..<number].contains(zone) else { throw CommandFailure("--zones: \(zone) is given twice") }
        }
        return names
    }

    private func chosenNetwork() throws -> IPv4CIDR? {
        guard let networkCIDR else { return nil }
        guard let network = IPv4CIDR(networkCIDR) else {
            throw CommandFailure("--network-cidr: \"\(networkCIDR)\" is no network", remedy: "write it as 10.64.0.0/24")
        }
        return network
    }

    private func checkedNodeCount() throws -> Int {
        guard (0...1000).contains(nodeCount) else {
            throw CommandFailure("--node-count: must be 0 to 1000, found \(nodeCount)")
        }
        return nodeCount
    }

    private func checkedControlPlaneCount() throws -> Int {
        guard EtcdQuorum.sizes.contains(controlPlaneCount) else {
            throw CommandFailure(
                "--control-plane-count: no etcd cluster has \(controlPlaneCount) members",
                remedy: EtcdQuorum.remedy
            )
        }
        return controlPlaneCount
    }

    private func runtime() throws -> ContainerRuntime? {
        guard let containerRuntime else { return nil }
        guard let runtime = ContainerRuntime(rawValue: containerRuntime) else {
            throw CommandFailure(
                "--container-runtime: \"\(containerRuntime)\" is no container runtime",
                remedy: "write docker or containerd"
            )
        }
        return runtime
    }

    private func takenNetworks(in repository: ClusterRepository, besides name: String) async throws -> [IPv4CIDR] {
        var networks: [IPv4CIDR] = []
        for other in try await repository.names() where other != name {
            guard let cluster = try await repository.cluster(other) else { continue }
            if let network = cluster.completed(with: []).spec.networkCIDR { networks.append(network) }
        }
        return networks
    }

    private func suggest(_ name: String, _ console: Console) {
        console.line()
        console.line("Suggestions:")
        console.line(" * list clusters with: kopslite get clusters")
        console.line(" * see the declaration with: kopslite get all \(name) -o yaml")
        console.line(" * change it with: kopslite replace -f FILE")
        console.line()
        console.line("Finally configure your cluster with: kopslite update cluster \(name) --yes")
    }
}
