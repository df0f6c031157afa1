// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
public import KopsModel
public import NodeOS
public import SystemPackage

extension BootConfig {
    /// Reads what this machine was told of its cluster.
    ///
    /// `otherwise` is what a machine of no cluster may do instead.
    ///
    /// - Throws: ``Failure`` `no-boot-config` on a machine of no cluster, `boot-config-damaged`, both permanent.
    public init(from file: FilePath, on node: any NodeReader, otherwise: String? = nil) async throws {
        guard try await node.status(of: file) != nil else {
            throw Failure(
                .permanent,
                code: "no-boot-config",
                "\(file) is not there: this machine has not been told its cluster",
                hint: "user-data writes it" + (otherwise.map { "; \($0)" } ?? "")
            )
        }
        do {
            self = try JSONDecoder().decode(BootConfig.self, from: Data(try await node.read(file)))
        } catch {
            throw Failure(.permanent, code: "boot-config-damaged", "\(file) cannot be read", cause: error)
        }
    }
}
