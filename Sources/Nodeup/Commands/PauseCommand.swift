// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import ObjectStores
import SystemPackage

/// Waits before the next try of nodeup.service, the longer the more of them have failed.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Wait before another try of a service that fails again and again.",
        discussion: """
            nodeup.service begins with it. There is no pause at boot, nor after somebody has started the service, and \
            the longest is five minutes.
            """
    )

    func run() async throws {
        let node = LiveNode()
        let restarts = try await node.restarts(of: "nodeup.service")
        guard restarts > 0 else { return }
        let clock = ContinuousClock()
        let pause = RetryPause(node: node, clock: clock, now: { Date() })
        // What keeps reports from the store may be what runs fail with: there is a pause all the same.
        guard let publisher = try? await publisher(on: node) else {
            return try await pause.keep(beforeRestart: restarts) { _ in }
        }
        try await publisher.accompany(on: clock) {
            try await pause.keep(beforeRestart: restarts) { publisher.publish($0) }
        }
    }

    private func publisher(on node: LiveNode) async throws -> StatusPublisher {
        let boot = try await BootConfig(from: FilePath(BootConfig.path), on: node)
        return try StatusPublisher(of: boot, to: try openStore(boot.store))
    }
}
