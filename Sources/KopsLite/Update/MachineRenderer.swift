// SPDX-License-Identifier: Apache-2.0
import Clouds
import Foundation
import KopsModel
import NodeOS
import StateStore

/// Turns a cluster's groups into the machines its cloud is asked for.
struct MachineRenderer {
    let cluster: ResolvedCluster
    /// The store's URL, which machines are told.
    let store: String
    /// What the machines' secrets are opened with; `nil` where it is still to be made.
    let keyring: Keyring?
    let credentials: MachineCredentials
    let nodeup: AssetLock.Entry?

    /// Every machine of the cluster.
    func all() throws -> [DesiredMachine] { try cluster.machines.map(machine) }

    private func machine(_ machine: ResolvedMachine) throws -> DesiredMachine {
        guard let nodeup else {
            throw Failure(.permanent, code: "asset-unknown", "the file repository has no nodeup", hint: "make release")
        }
        let template = try UserData.template(
            store: store,
            clusterName: cluster.name,
            instanceGroup: machine.group,
            trust: keyring?.trust ?? [],
            nodeup: nodeup.asset
        )
        return DesiredMachine(
            name: machine.name,
            instanceGroup: machine.group,
            role: machine.role,
            zone: machine.zone,
            userData: template,
            confidential: try confidential(machine)
        )
    }

    private func confidential(_ machine: ResolvedMachine) throws -> [ConfidentialFile] {
        var files: [ConfidentialFile] = []
        if let key = try keyring?.key(of: SecretReader(machine.role)) {
            files.append(ConfidentialFile(path: ReaderKey.path, bytes: try key.encoded()))
        }
        if let bytes = try credentials.bytes(for: machine) {
            files.append(ConfidentialFile(path: MachineCredentials.path, bytes: bytes))
        }
        return files
    }
}

extension SecretReader {
    /// The reader that machines of a role are.
    init(_ role: InstanceRole) {
        switch role {
        case .controlPlane: self = .controlPlane
        case .node: self = .node
        }
    }
}
