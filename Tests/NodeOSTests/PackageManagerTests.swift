// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import NodeOS

/// Which package system a distribution has.
@Suite struct PackageManagerTests {
    private func system(_ release: String?) async throws -> any PackageSystem {
        var chosen: (any PackageSystem)?
        try await withTemporaryDirectory { directory in
            let file = directory.appending("os-release")
            if let release { try await LiveNode().write(release.bytes, to: file, attributes: FileAttributes()) }
            let manager = PackageManager(runner: ScriptedRunner(), releaseFiles: [directory.appending("none"), file])
            chosen = try manager.system()
            // It is looked up once in a run.
            try await LiveNode().remove(file)
            _ = try manager.system()
        }
        return try #require(chosen)
    }

    @Test(arguments: [
        "ID=debian\n", "ID=ubuntu\nID_LIKE=debian\n", "NAME=\"Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
        "ID='raspbian'\nID_LIKE=debian",
    ])
    func debian(_ release: String) async throws { #expect(try await system(release) is AptSystem) }

    @Test(arguments: [
        "ID=fedora\n", "ID=\"rhel\"\nID_LIKE=\"fedora\"\n", "ID=\"centos\"\n", "ID=\"amzn\"\nID_LIKE=\"fedora\"\n",
        "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "ID=\"almalinux\"\n", "ID=ol\nID_LIKE=\"fedora\"\n",
    ])
    func redHat(_ release: String) async throws { #expect(try await system(release) is DnfSystem) }

    @Test(arguments: [
        ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "zypper"), ("ID=\"sles\"\nID_LIKE=\"suse\"\n", "zypper"),
        ("ID=arch\n", "on arch:"), ("", "an unnamed distribution"), ("ID\n=debian\n#ID=debian\n", "an unnamed"),
    ])
    func others(_ release: String, _ words: String) async throws {
        let failure = await failure { _ = try await system(release) }
        #expect(failure?.code == "package-system-unsupported" && failure?.kind == .permanent)
        #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
        #expect(await code { _ = try await system(nil) } == "package-system-unsupported")
    }
}
