// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS
import SystemPackage

/// What the cloud remembers of a cluster's network, in `network.json`.
struct NetworkRecord: Codable, Sendable, Equatable {
    var clusterName: String
    var bridge: String
    var networkCIDR: String
}

/// What the cloud remembers of a machine, in `machines/<name>/machine.json`.
///
/// Written before the machine is made.
struct MachineRecord: Codable, Sendable, Equatable {
    var name: String
    var instanceGroup: String
    var role: InstanceRole
    var zone: String
    var address: String
    /// Changes only when the machine is made anew.
    var instanceID: String
    /// The directory the machine's root stands on.
    var base: String
    /// The store's directory on the host; `nil` when the store is reached over the network.
    var store: String?
    /// The file repository's directory on the host; `nil` when it is reached over the network.
    var fileRepository: String?
}

/// What the cloud remembers of a volume, in `volumes/<name>.json`: what tags are to a cloud's disk.
struct VolumeRecord: Codable, Sendable, Equatable {
    var name: String
    var zone: String
    /// In GiB.
    var size: Int
    var labels: [String: String]
    /// The machine it is attached to, also while there is no such machine.
    var machine: String
}

/// What a machine is told of its volumes, in its `/etc/kopslite/volumes.json`, anew at each start.
struct VolumeAnnouncement: Codable, Sendable, Equatable {
    struct Volume: Codable, Sendable, Equatable {
        var name: String
        /// The device node inside the machine.
        var device: String
        /// In bytes.
        var size: Int64
        /// Whether no other machine has it as long as this one runs.
        var exclusive: Bool? = true
        var labels: [String: String]
    }

    var volumes: [Volume]
}

/// Where the cloud keeps a cluster.
struct LocalLayout: Sendable, Equatable {
    let root: FilePath
    let clusterName: String

    var cluster: FilePath { root.appending(clusterName) }
    var network: FilePath { cluster.appending("network.json") }
    var machines: FilePath { cluster.appending("machines") }
    var volumes: FilePath { cluster.appending("volumes") }

    func machine(_ name: String) -> FilePath { machines.appending(name) }
    func record(ofMachine name: String) -> FilePath { machine(name).appending("machine.json") }
    /// The machine's root, mounted from its making to its removal, also while it is stopped.
    func rootFileSystem(_ name: String) -> FilePath { machine(name).appending("rootfs") }
    /// What the machine is told of its volumes.
    func announcement(_ name: String) -> FilePath { rootFileSystem(name).pushing("etc/kopslite/volumes.json") }
    /// What the machine has of its own; there only when it is complete.
    func files(_ name: String) -> FilePath { machine(name).appending("files") }
    func unfinishedFiles(_ name: String) -> FilePath { machine(name).appending("files.partial") }
    func console(_ name: String) -> FilePath { machine(name).appending("console.log") }
    /// The exit status of the last start, once it has ended.
    func ended(_ name: String) -> FilePath { machine(name).appending("ended") }
    func launcher(_ name: String) -> FilePath { machine(name).appending("run") }
    func image(ofVolume name: String) -> FilePath { volumes.appending(name + ".img") }
    func record(ofVolume name: String) -> FilePath { volumes.appending(name + ".json") }
}

/// Records as JSON with sorted names, so that equal records are equal bytes.
enum LocalJSON {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(value)) + [0x0A]
    }

    /// - Throws: ``Failure`` `local-record-damaged`.
    static func decode<Value: Decodable>(_ type: Value.Type, from path: FilePath) throws -> Value? {
        guard let bytes = try LocalFiles.read(path) else { return nil }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw Failure(
                .permanent,
                code: "local-record-damaged",
                "\(path) is not what the local cloud writes",
                hint: "delete the cluster, or the machine, and create it again",
                cause: error
            )
        }
    }
}
