// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS

/// Tells of an installed etcd that is not of the declared release.
///
/// It holds nothing up: etcd goes on from what it was started with, and starts as declared once that is there.
struct EtcdProgramStep: Step {
    let site: any EtcdSite

    var name: String { EtcdSteps.name("etcd", of: site.etcdCluster) + "-program" }
    var activity: String { "waiting for etcd's program" }
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(15)
    let isEssential = false

    /// Programs come with packages, which take their time.
    func poll(after failure: Failure) -> Duration? { .seconds(5) }

    func converge(_ observer: any StepObserver) async throws { try await site.checkInstalled() }
}
