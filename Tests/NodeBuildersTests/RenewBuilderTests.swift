// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import SystemPackage
import Testing

@Suite struct RenewBuilderTests {
    @Test(arguments: InstanceRole.allCases)
    func onlyControlPlanesRenew(role: InstanceRole) throws {
        let inputs = Samples.inputs("1.30.0", role)
        let graph = try NodeTaskGraph(try NodeGraph.tasks(for: inputs))
        let isControlPlane = role == .controlPlane
        #expect(graph.ids.contains("service:nodeup-renew.timer") == isControlPlane)
        #expect(try NodeGraph.certificates(for: inputs).isEmpty == !isControlPlane)
        guard isControlPlane else { return }
        #expect(graph.dependencies(of: "service:nodeup-renew.service") == ["service:nodeup-drift.timer"])
        #expect(graph.dependencies(of: "service:nodeup-renew.timer") == ["service:nodeup-renew.service"])
    }

    /// The service may write below this directory alone, and there is nothing else to order certificates after.
    @Test(arguments: KubernetesRelease.supportedMinors)
    func certificatesStandAloneWhereTheServiceMayWrite(minor: Int) throws {
        let tasks = try NodeGraph.certificates(for: Samples.inputs("1.\(minor).0", .controlPlane))
        #expect(try NodeTaskGraph(tasks).count == tasks.count)
        for case let task as CertificateTask in tasks {
            #expect(task.certificate.starts(with: NodePaths.pki) && task.key.starts(with: NodePaths.pki))
        }
    }
}
