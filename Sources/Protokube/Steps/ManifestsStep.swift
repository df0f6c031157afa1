// SPDX-License-Identifier: Apache-2.0
import NodeBuilders
import NodeOS
import SystemPackage

/// Hands kubelet the static pods that come after the API server.
///
/// kubelet 1.20 holds each static pod for 10 s while no API server answers, and takes them one after the other.
struct ManifestsStep: Step {
    let node: any NodeWriter
    var source = NodePaths.laterManifests
    var target = NodePaths.manifests

    let name = "manifests"
    let activity = "installing static pods"
    let patience: Duration = .seconds(60)
    let cadence: Duration = .seconds(30)

    func converge(_ observer: any StepObserver) async throws {
        for name in try await node.list(source) where name.hasSuffix(".json") && !name.hasPrefix(".") {
            let bytes = try await node.read(source.appending(name))
            let path = target.appending(name)
            if try await node.status(of: path)?.kind == .regular, try await node.read(path) == bytes { continue }
            try await node.write(bytes, to: path, attributes: FileAttributes(mode: 0o600, uid: 0, gid: 0))
        }
    }
}
