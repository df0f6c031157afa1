// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import NodeTasks
import PKI
import StateStore

/// One subject of a node: from everything the node is told to the tasks of that subject.
protocol NodeBuilder: Sendable {
    /// The tasks, purely from the context; none when the subject does not concern this machine.
    func tasks(for context: NodeContext) throws -> [any NodeTask]
}

/// What all builders see.
struct NodeContext: Sendable {
    let inputs: NodeInputs
    let release: KubernetesRelease

    /// - Throws: ``Failure`` when the release is unsupported or does not go with the container runtime.
    init(_ inputs: NodeInputs) throws {
        self.inputs = inputs
        release = try KubernetesRelease(inputs.config.kubernetesVersion)
        guard release.supports(inputs.config.containerRuntime) else {
            throw Failure(
                .permanent,
                code: "runtime-unsupported",
                "cannot build a node for Kubernetes \(release.version) with docker: kubelet has no dockershim from 1.24 on",
                hint: "set containerRuntime to containerd"
            )
        }
    }

    var boot: BootConfig { inputs.boot }
    var config: NodeConfig { inputs.config }
    var network: NetworkConfig { inputs.config.network }
    var facts: NodeFacts { inputs.facts }
    var isControlPlane: Bool { inputs.config.role == .controlPlane }
    /// The runtime's unit.
    var runtimeService: String { config.containerRuntime == .docker ? "docker.service" : "containerd.service" }
    /// Whether systemd makes the containers' cgroups; on cgroup v1 the runtime and kubelet do it themselves, for the
    /// two versions of one hierarchy do not know of one another.
    var usesSystemdCgroups: Bool { facts.cgroupVersion == 2 }
    /// The cgroup driver as kubelet and docker name it.
    var cgroupDriver: String { usesSystemdCgroups ? "systemd" : "cgroupfs" }
    /// The API server as kubelet reaches it: on the only control-plane machine its own, otherwise whichever answers, so that
    /// a node is not lost with one API server.
    var apiURL: String {
        isControlPlane && network.apiAddress == nil ? ownAPIURL : "https://\(network.apiHost):\(network.apiPort)"
    }
    /// The API server of this control-plane machine, for what has no use without it.
    var ownAPIURL: String { "https://127.0.0.1:\(network.apiPort)" }

    /// The file named `name` that the machine downloads.
    ///
    /// - Throws: ``Failure`` with the code `asset-missing`.
    func asset(_ name: String) throws -> Asset {
        guard let asset = config.assets[name] else {
            throw incomplete("asset-missing", "it names no asset '\(name)'")
        }
        return asset
    }

    /// The certificates of an authority, as PEM.
    ///
    /// - Throws: ``Failure`` with the code `authority-missing`.
    func authority(_ name: String) throws -> String {
        guard let bundle = config.certificateAuthorities[name] else {
            throw incomplete("authority-missing", "it holds no certificate of '\(name)'")
        }
        return bundle
    }

    /// A keyset with its private keys.
    ///
    /// - Throws: ``Failure`` with the code `keyset-missing`.
    func keyset(_ name: String) throws -> Keyset {
        guard let keyset = inputs.keysets[name], keyset.primaryPair?.privateKey != nil else {
            throw incomplete("keyset-missing", "no private key of '\(name)' could be read")
        }
        return keyset
    }

    /// The pair of a keyset that signs.
    func primaryPair(_ name: String) throws -> (pair: Keyset.Pair, privateKey: String) {
        guard let pair = try keyset(name).primaryPair, let key = pair.privateKey else {
            throw incomplete("keyset-missing", "no private key of '\(name)' could be read")
        }
        return (pair, key)
    }

    /// Which pairs of keysets are used, as one line: those that are believed, and for `signing` ones the one that signs.
    ///
    /// - Throws: ``Failure`` with the code `keyset-missing`.
    func pairs(trusted: [String], signing: [String] = []) throws -> String {
        let believed = try trusted.map { name in
            "\(name) \(try keyset(name).trustedPairs.map(\.id).joined(separator: ","))"
        }
        return (believed + (try signing.map { "\($0) signs \(try primaryPair($0).pair.id)" })).joined(separator: "; ")
    }

    private func incomplete(_ code: String, _ why: String) -> Failure {
        Failure(
            .permanent,
            code: code,
            "cannot build \(boot.instance) from generation \(inputs.followed.number) of instance group "
                + "\(config.instanceGroup): \(why)",
            hint: "run 'kopslite update cluster --yes' with this version, then nodeup again"
        )
    }
}
