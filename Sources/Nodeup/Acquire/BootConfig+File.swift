// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS
import SystemPackage

extension BootConfig {
    /// Reads what this machine was told of its cluster.
    ///
    /// - Throws: ``Failure`` `no-boot-config` on a machine of no cluster, `boot-config-damaged`.
    init(from file: FilePath, on node: any NodeReader) async throws {
        guard try await node.status(of: file) != nil else {
            throw Failure(
                .permanent,
                code: "no-boot-config",
                "\(file) is not there: this machine has not been told its cluster",
                hint: "user-data writes it; without a cluster use `nodeup apply --tasks FILE`"
            )
        }
        do {
            self = try JSONDecoder().decode(BootConfig.self, from: Data(try await node.read(file)))
        } catch {
            throw Failure(.permanent, code: "boot-config-damaged", "\(file) cannot be read", cause: error)
        }
    }
}
