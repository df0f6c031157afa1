// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import NodeTasks
import PKI
import SystemPackage

/// The tasks as builders declare them: the defaults of a node, and one way to name a task.
enum Declare {
    /// A file that anybody may read.
    static func file(_ path: FilePath, text: String, mode: UInt16 = 0o644, after: [TaskID] = []) -> any NodeTask {
        file(path, json: Array(text.utf8), mode: mode, after: after)
    }

    /// A file with rendered bytes, such as a JSON document.
    static func file(_ path: FilePath, json: [UInt8], mode: UInt16 = 0o644, after: [TaskID] = []) -> any NodeTask {
        FileTask(
            path,
            content: .bytes(json),
            attributes: Attributes(mode: mode, owner: "root", group: "root"),
            id: .file(path),
            after: after
        )
    }

    /// A file for root alone, whose bytes no plan shows.
    static func secretFile(_ path: FilePath, bytes: [UInt8]) -> any NodeTask {
        FileTask(
            path,
            content: .bytes(bytes),
            attributes: Attributes(mode: 0o600, owner: "root", group: "root"),
            secret: true,
            id: .file(path)
        )
    }

    /// A program from its downloaded asset.
    static func install(_ asset: Asset, to path: FilePath) -> any NodeTask {
        FileTask(
            path,
            content: .file(cached(asset), sha256: asset.sha256),
            attributes: Attributes(mode: 0o755, owner: "root", group: "root"),
            id: .file(path)
        )
    }

    /// A directory of root's.
    static func directory(_ path: FilePath, mode: UInt16) -> any NodeTask {
        DirectoryTask(path, mode: mode, owner: "root", group: "root", id: .directory(path))
    }

    /// A symbolic link.
    static func symlink(_ path: FilePath, to target: String) -> any NodeTask { SymlinkTask(path, target: target) }

    /// An archive's contents from its downloaded asset.
    static func archive(_ asset: Asset, into path: FilePath, stripComponents: Int) -> any NodeTask {
        ArchiveTask(
            cached(asset),
            sha256: asset.sha256,
            path: path,
            stripComponents: stripComponents,
            id: .archive(path)
        )
    }

    /// A container image from its downloaded asset, once the runtime runs.
    static func image(_ name: String, _ asset: Asset, in context: NodeContext) -> any NodeTask {
        ImageTask(
            cached(asset),
            sha256: asset.sha256,
            runtime: context.config.containerRuntime.rawValue,
            id: .image(name),
            after: [.service(context.runtimeService)]
        )
    }

    /// A package in any version.
    static func package(_ name: String, after: [TaskID] = []) -> any NodeTask {
        PackageTask(name, id: .package(name), after: after)
    }

    /// A unit that runs, now and from every boot on.
    static func service(
        _ name: String,
        definition: String? = nil,
        dropIns: [String: String] = [:],
        after: [TaskID],
        restartOn: [TaskID]
    ) -> any NodeTask {
        ServiceTask(
            name,
            definition: definition,
            dropIns: dropIns,
            restartOn: restartOn,
            id: .service(name),
            after: after
        )
    }

    /// A unit that another unit starts.
    static func triggeredService(_ name: String, definition: String, after: [TaskID]) -> any NodeTask {
        ServiceTask(name, definition: definition, triggered: true, id: .service(name), after: after)
    }

    /// A kernel module.
    static func kernelModule(_ name: String) -> any NodeTask { KernelModuleTask(name, id: .kernelModule(name)) }

    /// A kernel setting.
    static func sysctl(_ key: String, _ value: String, after: [TaskID]) -> any NodeTask {
        SysctlTask(key, value: value, after: after)
    }

    /// Names in `/etc/hosts`, by address.
    static func hosts(_ entries: [String: [String]]) -> any NodeTask {
        HostsBlockTask("kopslite", entries: entries, id: .hosts)
    }

    /// A certificate of the machine's own, issued with an authority's key.
    static func certificate(
        _ paths: CertificatePaths,
        _ profile: CertificateProfile,
        signedBy keyset: Keyset
    ) -> any NodeTask {
        CertificateTask(
            certificate: paths.certificate,
            key: paths.key,
            profile: profile,
            signer: .keyset(keyset),
            owner: "root",
            group: "root",
            id: .certificate(paths)
        )
    }

    /// A kubeconfig, for root alone; one with a token is a secret.
    static func kubeconfig(
        _ path: FilePath,
        server: String,
        authority: FilePath,
        credential: Kubeconfig.Credential
    ) throws -> any NodeTask {
        let kubeconfig = Kubeconfig(
            cluster: "kubernetes",
            server: server,
            authority: .file(authority.string),
            user: "default",
            credential: credential
        )
        let bytes = Array(try kubeconfig.text().utf8)
        if case .files = credential { return file(path, json: bytes, mode: 0o600) }
        return secretFile(path, bytes: bytes)
    }

    private static func cached(_ asset: Asset) -> FilePath { NodeInputs.cache.appending(asset.sha256) }
}

extension TaskID {
    static func file(_ path: FilePath) -> TaskID { TaskID("file:\(path)") }
    static func directory(_ path: FilePath) -> TaskID { TaskID("directory:\(path)") }
    static func archive(_ path: FilePath) -> TaskID { TaskID("archive:\(path)") }
    static func certificate(_ paths: CertificatePaths) -> TaskID { TaskID("certificate:\(paths.certificate)") }
    static func service(_ name: String) -> TaskID { TaskID("service:\(name)") }
    static func package(_ name: String) -> TaskID { TaskID("package:\(name)") }
    static func kernelModule(_ name: String) -> TaskID { TaskID("kernelModule:\(name)") }
    /// An image by its asset's name.
    static func image(_ name: String) -> TaskID { TaskID("image:\(name)") }
    static let hosts = TaskID("hostsBlock:kopslite")
}
