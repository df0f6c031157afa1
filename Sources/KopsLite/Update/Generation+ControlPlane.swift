// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import StateStore

extension Generation {
    /// What control-plane machines are told, the same of etcd in each group; `nil`: there is no such group.
    ///
    /// - Throws: `GenerationError`, `StoreError`.
    func controlPlane() async throws -> ControlPlaneConfig? {
        for name in manifest.objects.keys.sorted() where name.hasPrefix("nodes/") {
            let bytes = try await object(named: name)
            let config = try? JSONDecoder().decode(NodeConfig.self, from: Data(bytes))
            if let found = config?.controlPlane { return found }
        }
        return nil
    }
}
