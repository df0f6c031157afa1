// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTesting
import PKI
import StateStore
import SystemPackage
import Testing

@testable import NodeTasks
@testable import Nodeup

/// A control-plane machine that renews its certificates.
@Suite struct RenewRunTests {
    /// The machine as a run of apply some share of the certificates' life ago left it.
    private func machine(_ share: Double) async throws -> FakeNode {
        let life: TimeInterval = 365 * 86400
        let inputs = try Self.inputs()
        let node = FakeNode()
        try await SealedInputs(node: node).write(inputs)
        for case let task as CertificateTask in try NodeGraph.certificates(for: inputs) {
            guard case .keyset(let keyset) = task.signer else { continue }
            let issued = try CertificateIssuer(keyset: keyset).issue(task.profile, now: Date() - share * life)
            await node.change {
                $0.put(issued.certificate, at: task.certificate)
                $0.put(issued.privateKey, at: task.key, mode: 0o600)
            }
        }
        await node.forgetEffects()
        return node
    }

    @Test func nothingIsDoneBeforeTwoThirds() async throws {
        let node = try await machine(0.65)
        let report = try await RenewRun(node: node).converge()
        #expect(!report.failed && report.changedCount == 0, "\(report.text)")
        #expect(await node.effects.isEmpty)
    }

    @Test func allIsRenewedAtTwoThirdsAndNothingElseTouched() async throws {
        let node = try await machine(0.68)
        let report = try await RenewRun(node: node).converge()
        #expect(!report.failed && report.changedCount == report.tasks.count && !report.tasks.isEmpty)
        #expect(report.text.contains("* certificate:/etc/kubernetes/pki/etcd-main/peer.crt"), "\(report.text)")
        #expect(report.text.contains("near its end"))
        #expect(!report.text.contains("PRIVATE KEY"))
        let places = await node.effects.compactMap { $0.split(separator: " ").last }
        #expect(places.count == 2 * report.tasks.count)
        #expect(places.allSatisfy { $0.hasPrefix(NodePaths.pki.string + "/") }, "\(places)")
        await node.forgetEffects()
        #expect(try await RenewRun(node: node).converge().changedCount == 0)
        #expect(await node.effects.isEmpty)
    }

    /// A key without its certificate, above all, is what the next run finds.
    @Test func aCrashAtAnyWriteIsMadeUpFor() async throws {
        for count in 0..<6 {
            let node = try await machine(0.7)
            await node.crash(afterWrite: count)
            #expect(try await RenewRun(node: node).converge().failed)
            await node.revive()
            let report = try await RenewRun(node: node).converge()
            #expect(!report.failed, "\(report.text)")
            #expect(try await RenewRun(node: node).converge().changedCount == 0)
        }
    }

    @Test func withoutSealedInputsThereIsNothingToRenew() async {
        let failure = await #expect(throws: Failure.self) { _ = try await RenewRun(node: FakeNode()).converge() }
        #expect(failure?.code == "nothing-sealed" && failure?.hint == "nodeup apply")
    }

    @Test func aWorkerHasNothingToRenew() async throws {
        let fixture = try await Fixture()
        let report = try await RenewRun(node: fixture.node).converge()
        #expect(report.tasks.isEmpty && !report.failed)
        #expect(await fixture.node.effects.isEmpty)
    }

    private static func inputs() throws -> NodeInputs {
        var inputs = Fixture.inputs("control-plane-1", "10.0.0.10")
        inputs.boot.instanceGroup = "control-plane"
        inputs.config.instanceGroup = "control-plane"
        inputs.config.role = .controlPlane
        inputs.config.controlPlane = ControlPlaneConfig(
            etcdClusters: [EtcdClusterConfig(name: "main", version: "3.4.23", members: ["a"])],
            apiServerNames: [],
            addons: []
        )
        for name in KeysetName.controlPlane {
            let keyset =
                name == "service-account"
                ? KeysetGenerator.bareKey(name: name)
                : try KeysetGenerator.certificateAuthority(name: name, commonName: name, now: Date() - 400 * 86400)
            inputs.keysets[name] = keyset
            inputs.config.certificateAuthorities[name] = keyset.bundle
        }
        for name in ["etcd", "kubectl", "protokube"] + programs {
            inputs.config.assets[name] = Asset(sha256: String(repeating: "0", count: 64), sources: [], image: name)
        }
        return inputs
    }

    private static let programs = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
}
