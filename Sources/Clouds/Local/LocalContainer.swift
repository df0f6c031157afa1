// SPDX-License-Identifier: Apache-2.0
import KopsModel
import SystemPackage

/// A machine as systemd-nspawn(1) is told of it.
struct LocalContainer: Sendable, Equatable {
    var names: LocalNames
    var record: MachineRecord
    var address: IPv4Address
    var rootFileSystem: FilePath

    /// Where every machine finds the file repository, whatever its path on the host.
    static let assets: FilePath = "/opt/kopslite/assets"

    /// What of the store a machine may do: the directories that must be there, and how it sees them.
    struct StoreAccess: Sendable, Equatable {
        var readOnly: FilePath
        var readWrite: [FilePath]
        var inaccessible: [FilePath]
    }

    /// The machine's part of the store; `nil` when the store is not a directory of this host.
    ///
    /// Only the cluster's own directory is shown, so other clusters in the store do not exist for the machine. All are
    /// directories, for the store replaces files by renaming.
    var storeAccess: StoreAccess? {
        guard let store = record.store else { return nil }
        let cluster = FilePath(store).appending(names.clusterName)
        let secrets = cluster.appending("private")
        var access = StoreAccess(
            readOnly: cluster,
            readWrite: [cluster.appending("status").appending(record.name)],
            inaccessible: [secrets.appending("admin")]
        )
        if record.role == .controlPlane {
            access.readWrite += [cluster.appending("discovery"), cluster.appending("etcd")]
        } else {
            access.inaccessible.append(secrets.appending("control-plane"))
        }
        return access
    }

    /// The arguments of systemd-nspawn.
    ///
    /// `--register=no --keep-unit`: the host may have no machined and no systemd. Devices, capabilities and system calls
    /// are what docker, kubelet and mounting of loop devices need; they make a machine no boundary of security.
    var arguments: [String] {
        var arguments = [
            "--quiet", "--boot", "--register=no", "--keep-unit", "--machine=\(names.container(address))",
            "--hostname=\(record.name)", "--directory=\(rootFileSystem)", "--network-bridge=\(names.bridge)",
            "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=read-only", "--capability=all",
            "--system-call-filter=add_key keyctl bpf perf_event_open @mount @module", "--setenv=SYSTEMD_COLORS=0",
            "--bind=/dev/kmsg", "--bind=/dev/loop-control",
        ]
        if let repository = record.fileRepository.map({ FilePath($0) }) {
            arguments.append("--bind-ro=" + Self.escaped(repository))
            if repository != Self.assets { arguments.append("--bind-ro=\(Self.escaped(repository)):\(Self.assets)") }
        }
        if let access = storeAccess {
            arguments.append("--bind-ro=" + Self.escaped(access.readOnly))
            arguments += access.readWrite.map { "--bind=" + Self.escaped($0) }
            // Not `--inaccessible`: it needs nodes that only a systemd as the host's PID 1 makes.
            arguments += access.inaccessible.map { "--tmpfs=\(Self.escaped($0)):ro,mode=0000,size=4k" }
        }
        return arguments
    }

    /// A path as `--bind=` reads it: colons separate there.
    static func escaped(_ path: FilePath) -> String {
        path.string.reduce(into: "") { text, letter in
            if letter == ":" || letter == "\\" { text.append("\\") }
            text.append(letter)
        }
    }
}
