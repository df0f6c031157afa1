// SPDX-License-Identifier: Apache-2.0
import Fetch
import Glibc
import NodeOS
import NodeTesting
import Subprocess
import SystemPackage

private typealias Row = Fault<TestServer>

/// A digest that no file has.
let noDigest = String(repeating: "0", count: 64)

extension FaultTableTests {
    /// What a server answers.
    static let answers: [Fault<TestServer>] = [
        Row("a file that was never there", .permanent, "http-404", "check the version") { server in
            try await server.download("\(server.url)/ok/none")
        },
        Row("a file that vanished", .permanent, "http-410", "check the version") { server in
            try await server.download("\(server.url)/status/410")
        },
        Row("a file behind a password", .permanent, "http-401", "credentials") { server in
            try await server.download("\(server.url)/status/401")
        },
        Row("a file that is forbidden", .permanent, "http-403", "credentials") { server in
            try await server.download("\(server.url)/status/403")
        },
        Row("a range the server never has", .permanent, "http-416", "remove the part") { server in
            try server.directory.appending("target").put([1, 2, 3])
            try await server.download("\(server.url)/status/416")
        },
        Row("too many requests", .transient, "http-429", "wait") { server in
            try await server.download("\(server.url)/status/429")
        },
        Row("a server that fails", .transient, "http-500", "server's log") { server in
            try await server.download("\(server.url)/status/500")
        },
        Row("a server that asks to come later", .transient, "http-503", "server's log") { server in
            try await server.download("\(server.url)/later/7")
        },
        Row("an answer that means nothing here", .permanent, "http-418", "proxy") { server in
            try await server.download("\(server.url)/status/418")
        },
        Row("redirects without end", .permanent, "redirect-loop", "correct the server") { server in
            try await server.download("\(server.url)/loop")
        },
        Row("a redirect to another protocol", .permanent, "redirect-refused", "redirect") { server in
            try await server.download("\(server.url)/redirect?to=file:///etc/passwd")
        },
        Row("an answer beyond all limits", .permanent, "answer-too-large", "check that the address") { server in
            _ = try server.serve("f", count: 0)
            truncate(server.directory.appending("files/f").string, 65 << 20)
            _ = try await CurlClient().send(HTTPRequest(url: "\(server.url)/ok/f"))
        },
    ]

    /// What happens to a connection.
    static let connections: [Fault<TestServer>] = [
        Row("a connection that is reset", .transient, "connection-broken", "check the network") { server in
            try await server.download("\(server.url)/abort")
        },
        Row("a body that ends before its length", .transient, "connection-broken", "check the network") { server in
            _ = try server.serve("f", count: 5000)
            try await server.download("\(server.url)/cut/f")
        },
        Row("a server of another protocol", .permanent, "not-http", "check the port") { server in
            try await server.download("\(server.url)/garbage")
        },
        Row("a server that falls silent", .transient, "timeout", "nearer source") { server in
            try await server.download("\(server.url)/stall", Timeouts(total: .milliseconds(200)))
        },
        Row("a server that is too slow", .transient, "timeout", "nearer source") { server in
            try await server.download("\(server.url)/drip", Timeouts(stall: .seconds(1)))
        },
        Row("a port where nobody listens", .transient, "connection-refused", "firewalls") { server in
            try await server.download("http://127.0.0.1:1/")
        },
        Row("a name nobody knows", .transient, "name-not-resolved", "/etc/resolv.conf") { server in
            try await server.download("http://name.invalid/")
        },
        Row("an address that is none", .permanent, "url-invalid", "give an address") { server in
            try await server.download("http://127.0.0.1:99999/")
        },
        Row("a protocol that is not spoken", .permanent, "url-invalid", "give an address") { server in
            try await server.download("ftp://127.0.0.1/f")
        },
    ]

    /// What all sources of a file together come to.
    static let assets: [Fault<TestServer>] = [
        Row("other bytes on every source", .permanent, "asset-digest-mismatch", "correct the digest") { server in
            _ = try server.serve("f", count: 1000)
            try await server.fetch("\(server.url)/ok/f", "\(server.url)/norange/f")
        },
        Row("no source that has it", .permanent, "asset-not-found", "check the version") { server in
            try await server.fetch("\(server.url)/ok/f", "\(server.url)/status/410", "file:///none")
        },
        Row("no source at all", .permanent, "asset-not-found", "file repository") { server in
            try await server.fetch()
        },
        Row("no source that answers", .transient, "asset-unreachable", "firewalls") { server in
            try await server.fetch("http://127.0.0.1:1/f", "\(server.url)/abort")
        },
        Row("no source that permits it", .permanent, "http-403", "credentials") { server in
            try await server.fetch("\(server.url)/status/403")
        },
        Row("a size that is none", .permanent, "asset-size-invalid", "correct the size") { server in
            try await server.fetch("\(server.url)/ok/f", size: -1)
        },
        Row("a file of another size", .permanent, "asset-size-mismatch", "correct the size") { server in
            _ = try server.serve("f", count: 1000)
            try await server.fetch("\(server.url)/ok/f", "file://\(server.directory)/files/f", size: 2000)
        },
        Row("an answer beyond its size", .permanent, "asset-size-mismatch", "correct the size") { server in
            _ = try server.serve("f", count: 1000)
            try await server.fetch("\(server.url)/endless/f", size: 2000)
        },
        Row("a source outside the lock", .permanent, "asset-not-locked", "lock file") { server in
            try await server.fetch("\(server.url)/ok/f", allowed: AllowedAssets([]))
        },
        Row("a redirect in a sealed cluster", .permanent, "redirect-refused", "as the source") { server in
            let url = "\(server.url)/redirect?to=/ok/f"
            let file = RemoteFile(name: "f", sha256: noDigest, sources: [url])
            try await server.fetch(url, allowed: AllowedAssets([file]))
        },
        Row("words that are no digest", .permanent, "asset-digest-invalid", "correct the digest") { server in
            try await server.fetch("\(server.url)/ok/f", sha256: "../../etc/passwd")
        },
    ]

    /// Where a file is to go, or comes from on this machine.
    static let files: [Fault<TestServer>] = [
        Row("a local source that is not there", .permanent, "file-missing", "put the file there") { server in
            try await server.download("file:///none")
        },
        Row("a local source that is a directory", .permanent, "file-refused", "in the way") { server in
            try await server.download("file:///etc")
        },
        Row("a file URL that is none", .permanent, "url-invalid", "file:///dir/name") { server in
            try await server.download("file:relative")
        },
        Row("no space for the file", .permanent, "disk-full", "df -h") { server in
            _ = try server.serve("f", count: 200_000)
            try await server.withMount("size=64k") { try await server.download("\(server.url)/ok/f", into: $0) }
        },
        Row("no space for a copy", .permanent, "disk-full", "df -h") { server in
            _ = try server.serve("f", count: 200_000)
            let source = "file://\(server.directory)/files/f"
            try await server.withMount("size=64k") { try await server.download(source, into: $0) }
        },
        Row("a file system that is too small", .permanent, "disk-full", "df -h") { server in
            _ = try server.serve("f", count: 200_000)
            try await server.withMount("size=64k") { place in
                // Known beforehand: nobody is asked.
                let url = "http://127.0.0.1:1/f"
                try await CurlClient().download(Download(url: url, file: place.appending("f"), size: 200_000))
            }
        },
        Row("no inode for the file", .permanent, "disk-full", "df -i") { server in
            _ = try server.serve("f", count: 10)
            try await server.withMount("nr_inodes=1") { try await server.download("\(server.url)/ok/f", into: $0) }
        },
        Row("a read-only directory for the file", .permanent, "read-only-filesystem", "remount it") { server in
            _ = try server.serve("f", count: 10)
            try await server.withMount("ro") { try await server.download("\(server.url)/ok/f", into: $0) }
        },
        Row("a directory in place of the file", .permanent, "file-refused", "in the way") { server in
            _ = try server.serve("f", count: 10)
            mkdir(server.directory.appending("target").string, 0o755)
            try await server.download("\(server.url)/ok/f")
        },
    ]
}

extension TestServer {
    /// Downloads to `target` in a directory, the server's own unless said otherwise.
    func download(_ url: String, _ timeouts: Timeouts = Timeouts(), into place: FilePath? = nil) async throws {
        let target = (place ?? directory).appending("target")
        try await CurlClient().download(Download(url: url, file: target, timeouts: timeouts))
    }

    /// Brings a file that is on none of the sources into a cache.
    fileprivate func fetch(
        _ sources: String...,
        sha256: String = noDigest,
        size: Int64? = nil,
        allowed: AllowedAssets? = nil
    ) async throws {
        let fetcher = AssetFetcher(
            cache: directory.appending("cache"),
            http: CurlClient(),
            clock: ImmediateClock(),
            policy: RetryPolicy(rounds: 2),
            allowed: allowed
        )
        try await fetcher.fetch([RemoteFile(name: "f", sha256: sha256, sources: sources, size: size)])
    }

    /// A file system of its own while the body runs; needs root.
    func withMount(_ options: String, _ body: (FilePath) async throws -> Void) async throws {
        let place = directory.appending("mnt")
        mkdir(place.string, 0o755)
        guard mount("tmpfs", place.string, "tmpfs", 0, options == "ro" ? "" : options) == 0 else {
            throw Errno(rawValue: errno)
        }
        defer { umount2(place.string, Int32(MNT_DETACH)) }
        if options == "ro", mount("tmpfs", place.string, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), "") != 0 {
            throw Errno(rawValue: errno)
        }
        try await body(place)
    }
}
