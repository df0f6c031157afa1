// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS

/// Lets the file system of an etcd member's volume grow with the volume.
///
/// It holds nothing up: etcd goes on with the room there is.
struct VolumeGrowthStep: Step {
    let site: any EtcdSite

    var name: String { EtcdSteps.name("volume", of: site.etcdCluster) + "-size" }
    var activity: String { "growing etcd's volume" }
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(300)
    let isEssential = false

    /// The kernel tells of another size at once.
    func concerns(_ event: DeviceEvent, isTrue: Bool) -> Bool {
        event.kind == .resized || event.kind == .missed
    }

    func converge(_ observer: any StepObserver) async throws {
        try await site.volume().grow()
    }
}
