// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import NodeOS

@Suite struct AccountTests {
    private static let passwd = """
        # a comment
        root:x:0:0:root:/root:/bin/bash

        bad:x:zero:0::/:/bin/sh
        +nis
        short:x
        daemon:x:1:1
        etcd:x:2379:2379:,:/var/lib/etcd:/usr/sbin/nologin
        +::::::
        """
    private static let group = """
        root:x:0:
        adm:x:4:etcd,root
        broken:x:many:etcd
        docker:x:999:etcd
        etcd:x:2379
        """
    private let table = AccountTable(passwd: AccountFile(passwd), group: AccountFile(group))

    @Test func linesAreReadAsGlibcReadsThem() {
        #expect(
            table.user(named: "bad") == nil && table.user(named: "short") == nil && table.user(named: "+nis") == nil
        )
        #expect(table.user(named: "daemon") == UserEntry(name: "daemon", uid: 1, gid: 1, home: "", shell: ""))
        let etcd = UserEntry(
            name: "etcd",
            uid: 2379,
            gid: 2379,
            home: "/var/lib/etcd",
            shell: "/usr/sbin/nologin",
            groups: ["adm", "docker"]
        )
        #expect(table.user(named: "etcd") == etcd)
        #expect(table.group(named: "broken") == nil)
        #expect(table.group(named: "adm") == GroupEntry(name: "adm", gid: 4, members: ["etcd", "root"]))
        #expect(table.group(named: "etcd") == GroupEntry(name: "etcd", gid: 2379))
    }

    @Test func theHostsAccountsAreRead() async throws {
        #expect(try await LiveNode().user(named: "root")?.uid == 0)
        #expect(try await LiveNode().group(named: "root")?.gid == 0)
    }

    @Test func whatIsNotUnderstoodIsKept() throws {
        var changed = table
        try changed.set(UserEntry(name: "new", uid: 500), groups: ["adm"])
        let lines = changed.passwd.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.dropLast().filter { !$0.hasPrefix("new:") }.joined(separator: "\n") == Self.passwd)
        #expect(lines.dropLast().last == "+::::::")
        changed.remove(user: "new")
        #expect(changed.passwd.text == Self.passwd + "\n")
        #expect(changed.group(named: "new") == nil)
        #expect(changed.group(named: "adm")?.members == ["etcd", "root"])
    }

    @Test func usersAndGroupsAreMadeBelowARoot() async throws {
        try await withTemporaryDirectory { root in
            let node = LiveNode(
                root: root,
                runner: ScriptedRunner { _, _ in throw Failure(.permanent, code: "ran", "") }
            )
            try await node.setGroup("kube", gid: nil)
            let kube = try #require(try await node.group(named: "kube"))
            #expect((100...999).contains(kube.gid))
            try await node.write(
                "root:*::::::::\n".bytes,
                to: "/etc/shadow",
                attributes: FileAttributes(mode: 0o640, gid: 42)
            )
            try await node.setUser(UserEntry(name: "etcd", uid: 2379, home: "/var/lib/etcd"), groups: ["kube"])
            let user = try await node.user(named: "etcd")
            #expect(user?.uid == 2379 && user?.gid == 2379 && user?.home == "/var/lib/etcd" && user?.groups == ["kube"])
            #expect(try await node.text("/etc/shadow") == "root:*::::::::\netcd:!:::::::\n")
            #expect(try await node.status(of: "/etc/shadow")?.gid == 42)
            #expect(try await node.status(of: "/etc/passwd")?.mode == 0o644)
            try await node.setUser(UserEntry(name: "etcd", shell: "/bin/sh"), groups: [])
            let changed = try await node.user(named: "etcd")
            #expect(changed?.uid == 2379 && changed?.shell == "/bin/sh" && changed?.groups == [])
            #expect(await code { try await node.removeGroup("etcd") } == "group-in-use")
            #expect(await code { try await node.setUser(UserEntry(name: "b", uid: 2379), groups: []) } == "uid-taken")
            #expect(await code { try await node.setUser(UserEntry(name: "b"), groups: ["none"]) } == "group-unknown")
            try await node.removeUser("etcd")
            try await node.removeUser("etcd")
            #expect(try await node.user(named: "etcd") == nil)
            #expect(try await node.group(named: "etcd") == nil)
            #expect(try await node.text("/etc/shadow") == "root:*::::::::\n")
            try await node.removeGroup("kube")
            #expect(try await node.text("/etc/group") == "")
        }
    }

    @Test(arguments: ["", "-x", "a:b", "a\nroot2", "a b", "../x", String(repeating: "a", count: 33)])
    func namesThatCouldBreakALineAreRefused(_ name: String) async throws {
        try await withTemporaryDirectory { root in
            let node = LiveNode(root: root)
            #expect(await code { try await node.setGroup(name, gid: 1) } == "account-name-invalid")
            #expect(await code { try await node.setUser(UserEntry(name: name), groups: []) } == "account-name-invalid")
            let user = UserEntry(name: "a", home: "/x:0\n")
            #expect(await code { try await node.setUser(user, groups: []) } == "account-field-invalid")
            let names = try await node.list("/")
            #expect(names == [])
        }
    }

    @Test func commandsChangeOnlyWhatDiffers() {
        func words(_ user: UserEntry, _ groups: [String]) -> String? {
            Accounts.command(setting: user, groups: groups, in: table)?.description
        }
        #expect(words(UserEntry(name: "etcd", uid: 2379), ["docker", "adm"]) == nil)
        #expect(
            words(UserEntry(name: "etcd", shell: "/bin/sh"), ["adm"]) == "usermod --shell /bin/sh --groups adm -- etcd"
        )
        #expect(words(UserEntry(name: "new"), []) == "useradd --system --no-create-home --user-group -- new")
        #expect(
            words(UserEntry(name: "docker", uid: 1000, home: "/home/d"), ["adm"])
                == "useradd --uid 1000 --home-dir /home/d --groups adm --no-create-home --gid 999 -- docker"
        )
        #expect(Accounts.command(settingGroup: "adm", gid: 4, in: table) == nil)
        #expect(Accounts.command(settingGroup: "adm", gid: nil, in: table) == nil)
        #expect(Accounts.command(settingGroup: "adm", gid: 5, in: table)?.description == "groupmod --gid 5 -- adm")
        #expect(Accounts.command(settingGroup: "new", gid: nil, in: table)?.description == "groupadd --system -- new")
    }
}
