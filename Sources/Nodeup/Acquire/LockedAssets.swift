// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS
import StateStore

/// The files a generation may be built from: its lock file.
struct LockedAssets {
    private let lock: AssetLock

    /// Reads a generation's lock file, verified.
    ///
    /// - Throws: ``Failure`` `asset-lock-damaged`; ``GenerationError``, ``StoreError``.
    init(of generation: Generation) async throws {
        let bytes = try await generation.object(named: AssetLock.objectName)
        guard let lock = try? JSONDecoder().decode(AssetLock.self, from: Data(bytes)) else {
            throw Failure(
                .permanent,
                code: "asset-lock-damaged",
                "\(AssetLock.objectName) of generation \(generation.number) cannot be read",
                hint: "nodeup and kopslite must be of the same release"
            )
        }
        self.lock = lock
    }

    /// Refuses a configuration that names what the lock file does not have.
    ///
    /// - Throws: ``Failure`` `asset-not-locked`, before anything is fetched.
    func check(_ config: NodeConfig) throws(Failure) {
        for (name, asset) in config.assets.sorted(by: { $0.key < $1.key }) {
            let locked = lock.assets.filter { $0.sha256 == asset.sha256 }.flatMap(\.sources)
            guard let stranger = asset.sources.first(where: { !locked.contains($0) }) else { continue }
            throw Failure(
                .permanent,
                code: "asset-not-locked",
                "\(name) would come from \(stranger) with sha256 \(asset.sha256), which \(AssetLock.objectName) does not have",
                hint: "assets.sealed is set: run `kopslite update cluster --yes`, which writes both"
            )
        }
    }
}
