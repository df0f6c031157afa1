// SPDX-License-Identifier: Apache-2.0
import Glibc
import StateStore
import Subprocess
import SystemPackage
import Testing

@Suite struct FileStoreTests {
    func isCorrupt(_ error: any Error) -> Bool {
        if case StoreError.corrupt = error { true } else { false }
    }

    @Test func privatePartsAreForTheOwnerOnly() async throws {
        try await withTemporaryDirectory { directory in
            let old = umask(0o077)
            defer { umask(old) }
            let store = FileStore(directory: directory)
            try await store.write([1], to: StoreKey("c/private/admin/ca.json"), when: .absent)
            try await store.write([1], to: StoreKey("c/spec/cluster.json"), when: .absent)
            #expect(directory.appending("c/private").mode == 0o700)
            #expect(directory.appending("c/private/admin").mode == 0o700)
            #expect(directory.appending("c/private/admin/ca.json").mode == 0o600)
            #expect(directory.appending("c/spec").mode == 0o755)
            #expect(directory.appending("c/spec/cluster.json").mode == 0o644)
        }
    }

    @Test func symbolicLinksAreNeverFollowed() async throws {
        try await withTemporaryDirectory { directory in
            let outside = directory.appending("outside")
            mkdir(outside.string, 0o755)
            try outside.appending("file").put("secret")
            let root = directory.appending("store")
            mkdir(root.string, 0o755)
            symlink(outside.string, root.appending("link").string)
            symlink(outside.appending("file").string, root.appending("file").string)
            let store = FileStore(directory: root)
            for key in ["link/file", "file"] {
                await #expect(performing: { _ = try await store.read(StoreKey(key)) }, throws: isCorrupt)
                await #expect(
                    performing: { try await store.write([1], to: StoreKey(key), when: .always) },
                    throws: isCorrupt
                )
                await #expect(performing: { try await store.remove(StoreKey(key), when: .always) }, throws: isCorrupt)
            }
            await #expect(
                performing: { try await store.write([1], to: StoreKey("link/new"), when: .absent) },
                throws: isCorrupt
            )
            #expect(try outside.names() == ["file"])
            #expect(try await store.list(StoreKey("link")) == [])
        }
    }

    @Test func whatIsNoFileIsCorruptAndNeverHangs() async throws {
        try await withTemporaryDirectory { directory in
            mkdir(directory.appending("directory").string, 0o755)
            mkfifo(directory.appending("pipe").string, 0o644)
            try directory.appending("file").put("x")
            let store = FileStore(directory: directory)
            for key in ["directory", "pipe", "file/below"] {
                await #expect(performing: { _ = try await store.read(StoreKey(key)) }, throws: isCorrupt)
                await #expect(
                    performing: { try await store.write([1], to: StoreKey(key), when: .always) },
                    throws: isCorrupt
                )
            }
        }
    }

    @Test func aMissingStoreIsUnavailableAndSaysWhy() async throws {
        try await withTemporaryDirectory { directory in
            let store = FileStore(directory: directory.appending("missing"))
            await #expect { _ = try await store.read(StoreKey("a")) } throws: { error in
                guard case StoreError.unavailable(let url, let reason) = error else { return false }
                return url == "file://\(directory)/missing" && reason.contains("No such file or directory")
            }
            await #expect(throws: StoreError.self) { try await store.list(StoreKey("a")) }
        }
    }

    @Test func leftOversOfACrashAreInvisibleAndGoWithTheNextWrite() async throws {
        try await withTemporaryDirectory { directory in
            let store = FileStore(directory: directory)
            try await store.write([1], to: StoreKey("a"), when: .absent)
            try directory.appending(".kopslite-tmp-abc").put("half")
            #expect(try await store.list(StoreKey(parts: [])).map(\.description) == ["a"])
            await #expect(throws: StoreError.badKey(".kopslite-tmp-abc")) {
                try await store.read(StoreKey(".kopslite-tmp-abc"))
            }
            try await store.write([2], to: StoreKey("b"), when: .absent)
            #expect(try directory.names() == ["a", "b"])
        }
    }

    @Test func aHeldLockEndsInAnErrorThatNamesTheObject() async throws {
        try await withTemporaryDirectory { directory in
            let holder = try FileDescriptor.open(directory, .readOnly)
            defer { try? holder.close() }
            #expect(flock(holder.rawValue, LOCK_EX) == 0)
            let store = FileStore(directory: directory, lockTimeout: .milliseconds(20))
            await #expect { try await store.write([1], to: StoreKey("a"), when: .always) } throws: { error in
                if case StoreError.unavailable(_, let reason) = error {
                    reason.contains("a stays locked")
                } else {
                    false
                }
            }
            #expect(try directory.names() == [])
            flock(holder.rawValue, LOCK_UN)
            try await store.write([1], to: StoreKey("a"), when: .always)
        }
    }

    /// As a machine sees a store of its host: read-only but for its own status.
    @Test(.enabled(if: geteuid() == 0, "only root can mount"))
    func statusIsWrittenWhereOnlyItsDirectoryIsWritable() async throws {
        try await withTemporaryDirectory { directory in
            let real = directory.appending("real")
            let view = directory.appending("view")
            mkdir(view.string, 0o755)
            try await FileStore(directory: real).write([0], to: StoreKey("c/status/node/nodeup.json"), when: .always)
            for arguments in [
                ["--bind", real.string, view.string], ["-o", "remount,bind,ro", view.string],
                ["--bind", real.appending("c/status/node").string, view.appending("c/status/node").string],
            ] {
                let mounted = try await run(.name("mount"), arguments: Arguments(arguments), output: .discarded)
                try #require(mounted.terminationStatus.isSuccess)
            }
            let store = FileStore(directory: view)
            let key = try StoreKey("c/status/node/nodeup.json")
            let results = await [
                Result { try await store.write([1], to: key, when: .always) },
                Result {
                    try await store.write([2], to: key, when: .version(#require(try await store.read(key)).version))
                },
                Result { try await store.write([3], to: StoreKey("c/status/other/nodeup.json"), when: .always) },
                Result { try await store.write([3], to: StoreKey("c/head"), when: .absent) },
            ]
            _ = try await run(.name("umount"), arguments: ["-R", view.string], output: .discarded)
            #expect(results.map { (try? $0.get()) != nil } == [true, true, false, false])
            for result in results[2...] {
                #expect { try result.get() } throws: { "\($0)".contains("Read-only file system") }
            }
            #expect(try await FileStore(directory: real).read(key)?.bytes == [2])
            #expect(try await store.list(StoreKey(parts: [])).isEmpty)
        }
    }

    @Test(arguments: [
        "", "/dir", "s3://bucket/x", "file://host/dir", "file://relative", "file:///a/../b", "file:///a?b",
        "file:///a#b",
        "file:///%zz", "file:///%0", "file:///%00", "FILE:///x", "file:/x",
    ]) func otherURLsAreRefused(_ url: String) {
        #expect { _ = try FileStore(url: url) } throws: { error in
            if case StoreError.badURL(url, _) = error { true } else { false }
        }
    }

    @Test func percentEscapesAreDecoded() async throws {
        try await withTemporaryDirectory { directory in
            let store = try FileStore(url: "file://\(directory)/with%20space")
            try await store.write([1], to: StoreKey("a"), when: .absent)
            #expect(try directory.names() == ["with space"])
        }
    }
}
