// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeBuilders
import NodeOS
import Testing

@Suite struct KubernetesReleaseTests {
    @Test(arguments: KubernetesRelease.supportedMinors)
    func everySupportedMinorIsInTheTable(minor: Int) throws {
        let release = try KubernetesRelease("v1.\(minor).3")
        #expect(release.version == "1.\(minor).3")
        #expect(release.minor == minor)
        #expect(release.pauseImage.hasPrefix(release.imageRegistry + "/pause:3."))
        #expect(release.coreDNSImage.hasPrefix(release.imageRegistry + "/coredns"))
    }

    @Test(arguments: ["", "1", "1.20", "v1.20", "2.20.1", "1.x.1", "1.20.x", "1..1", "1.20.1.1", "-1.20.1", "1.²0.1"])
    func whatIsNoVersionIsRefused(text: String) {
        #expect(code { try KubernetesRelease(text) } == "kubernetes-version-invalid")
    }

    @Test(arguments: ["1.19.16", "1.37.0", "1.0.0"])
    func otherMinorsAreRefused(text: String) {
        #expect(code { try KubernetesRelease(text) } == "kubernetes-version-unsupported")
    }

    @Test func preReleasesCountAsTheirMinor() throws {
        #expect(try KubernetesRelease("1.30.0-rc.1").minor == 30)
    }

    /// What a release dropped stays dropped: no property comes back in a later minor.
    @Test func changesHappenOnce() throws {
        let releases = try KubernetesRelease.supportedMinors.map { try KubernetesRelease("1.\($0).0") }
        let properties: [@Sendable (KubernetesRelease) -> Bool] = [
            \.hasDockershim, \.needsRemoteRuntimeFlag, \.hasPodInfraContainerImageFlag, \.hasInsecureComponentPort,
            { !$0.configuresRuntimeEndpoint }, { !$0.configuresTaints }, { !$0.configuresFailCgroupV1 },
            { $0.disruptionBudgetAPI == "policy/v1beta1" }, { $0.imageRegistry == "k8s.gcr.io" },
        ]
        for property in properties {
            let values = releases.map(property)
            #expect(values.first == true && values.last == false)
            #expect(values == values.sorted { $0 && !$1 })
        }
    }
}

/// The code of the ``Failure`` that a call throws.
func code(_ body: () throws -> some Any) -> String? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? Failure)?.code
    }
}
