// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Kubeconfig {
    /// The file a configuration is in.
    struct File {
        let path: String

        init(path: String) { self.path = path }

        /// The file kubectl would write: of those `KUBECONFIG` names the first that exists, else the last;
        /// `~/.kube/config` without it; `nil` without a home.
        init?(environment: [String: String]) {
            let named = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
            if let last = named.last {
                path = named.first { FileManager.default.fileExists(atPath: $0) } ?? last
            } else if let home = environment["HOME"], !home.isEmpty {
                path = home + "/.kube/config"
            } else {
                return nil
            }
        }

        /// Sets the entries of a cluster.
        func merge(_ credentials: AdminCredentials, as name: String) throws {
            var config = try Kubeconfig(text: try read() ?? "", file: path)
            config.set(credentials, as: name)
            try write(try config.text())
        }

        /// Removes the entries of a cluster; a file without them, or no file, is left as it is.
        func remove(_ name: String) throws {
            guard let text = try read() else { return }
            var config = try Kubeconfig(text: text, file: path)
            let before = try config.text()
            config.remove(name)
            let after = try config.text()
            if after != before { try write(after) }
        }

        private func read() throws -> String? {
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            guard let text = String(validating: try InputFile.read(path), as: UTF8.self) else {
                throw CommandFailure("\(path) is no text", remedy: "move it away, or pass --kubeconfig FILE")
            }
            return text
        }

        /// Puts the text in place as a whole, readable by its owner alone from the first byte on.
        ///
        /// A symbolic link stays one: what it points to is replaced, for people keep their kubeconfig elsewhere.
        private func write(_ text: String) throws {
            let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            let folder = (target as NSString).deletingLastPathComponent
            try? FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            let temporary = "\(target).\(UInt32.random(in: 0 ... .max)).tmp"
            let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw failure() }
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            do {
                try handle.write(contentsOf: Data(text.utf8))
                try handle.synchronize()
                try handle.close()
                guard rename(temporary, target) == 0 else { throw failure() }
            } catch {
                unlink(temporary)
                throw failure()
            }
        }

        private func failure() -> CommandFailure {
            CommandFailure(
                "\(path) cannot be written: \(String(cString: strerror(errno)))",
                remedy: "pass --kubeconfig FILE"
            )
        }
    }
}
