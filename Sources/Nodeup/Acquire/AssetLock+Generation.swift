// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS
import StateStore

extension AssetLock {
    /// The lock file of a generation, verified.
    ///
    /// - Throws: ``Failure`` `asset-lock-damaged`; ``GenerationError``, ``StoreError``.
    init(of generation: Generation) async throws {
        let bytes = try await generation.object(named: Self.objectName)
        guard let lock = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else {
            throw Failure(
                .permanent,
                code: "asset-lock-damaged",
                "\(Self.objectName) of generation \(generation.number) cannot be read",
                hint: "nodeup and kopslite must be of the same release"
            )
        }
        self = lock
    }
}
