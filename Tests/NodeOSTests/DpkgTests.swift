// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import NodeOS

/// dpkg's records as they lie on the disk.
@Suite struct DpkgTests {
    private static let records = """
        Package: dpkg
        Status: install ok installed
        Architecture: amd64
        Version: 1.21

        Package: libc6
        Status: install ok installed
        Architecture: i386
        Version: 2.36-i386
        Description: a
         Package: not-one
         Version: no

        Package: libc6
        Status: install ok installed
        Architecture: amd64
        Version: 2.36

        Package: gone
        Status: deinstall ok config-files
        Architecture: all
        Version: 1

        Package: half
        Status: install ok half-configured
        Architecture: all
        Version: 2

        Package: again
        Status: install reinstreq installed
        Architecture: all
        Version: 3

        Package: kept
        Status: hold ok installed
        Architecture: all
        Version: 4

        Package: away
        Status: hold ok not-installed
        Architecture: all

        Package: odd
        Status: nonsense
        Version
        """

    @Test func recordsAreRead() async throws {
        try await withDpkg(Self.records) { _, database in
            let status = try database.status()
            #expect(status.entry(named: "libc6")?.version == "2.36")
            #expect(status.entry(named: "libc6:i386")?.version == "2.36-i386")
            #expect(status.entry(named: "gone") == nil && status.entry(named: "not-one") == nil)
            #expect(status.entry(named: "odd") == nil)
            #expect(status.incomplete == ["again", "half"])
            #expect(status.isHeld("kept") && status.isHeld("kept:all") && status.isHeld("away"))
            #expect(!status.isHeld("libc6") && !status.isHeld("gone") && !status.isHeld("none"))
        }
    }

    @Test func anInterruptedRunsJournalCounts() async throws {
        try await withDpkg("Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n") {
            directory,
            database in
            #expect(try !database.wasInterrupted())
            let update = "Package: a\nStatus: install ok unpacked\nArchitecture: all\nVersion: 2\n".bytes
            let node = LiveNode()
            try await node.write(
                update,
                to: directory.appending("updates").appending("0001"),
                attributes: FileAttributes()
            )
            try await node.write(
                [],
                to: directory.appending("updates").appending("tmp.i"),
                attributes: FileAttributes()
            )
            #expect(try database.wasInterrupted())
            #expect(try database.status().entry(named: "a")?.version == "2")
            #expect(try database.status().entry(named: "a")?.isComplete == false)
        }
    }

    @Test(arguments: [
        "", "\n\n\n", "Package:", ": :\n\n:", "Package: a\nStatus:\n\nVersion: 1", "\u{0}\u{1}\nPackage: \n",
    ])
    func malformedRecordsAreNoPackages(_ text: String) async throws {
        try await withDpkg(text) { _, database in
            let status = try database.status()
            #expect(status.entry(named: "a") == nil)
            #expect(status.incomplete.isEmpty)
        }
    }

    /// What dpkg itself says of every package of this machine.
    @Test func theHostsRecordsAreReadAsDpkgReadsThem() async throws {
        let format = "${binary:Package}\t${Version}\t${db:Status-Status}\n"
        let text = try await SubprocessRunner().run(
            Command("dpkg-query", ["--show", "--showformat=\(format)"], outputLimit: 1 << 24)
        )
        let status = try DpkgDatabase().status()
        var count = 0
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t").map(String.init)
            guard fields.count == 3, fields[2] != "config-files", fields[2] != "not-installed" else { continue }
            count += 1
            let entry = try #require(status.entry(named: fields[0]), "\(fields[0])")
            #expect(entry.version == fields[1] && entry.state == fields[2])
        }
        #expect(count > 50)
        #expect(try await LiveNode().package(named: "dpkg")?.configured == true)
        #expect(try await LiveNode().package(named: "no-such-package") == nil)
    }
}

/// A directory like `/var/lib/dpkg` with records, and package lists in `lists`.
func withDpkg(_ records: String, _ body: (FilePath, DpkgDatabase) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
        let node = LiveNode()
        try await node.makeDirectory(directory.appending("updates"), attributes: FileAttributes())
        try await node.makeDirectory(directory.appending("lists"), attributes: FileAttributes())
        try await node.write(records.bytes, to: directory.appending("status"), attributes: FileAttributes())
        try await node.write([], to: directory.appending("lists").appending("m_Packages"), attributes: FileAttributes())
        try await body(directory, DpkgDatabase(directory: directory))
    }
}
