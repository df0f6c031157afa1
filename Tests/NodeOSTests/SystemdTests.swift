// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import NodeOS

@Suite struct SystemdTests {
    @Test func aUnitsPropertiesBecomeItsStatus() async throws {
        var script = FakeSystemd.Script()
        let unit = "my_2dapp_40one_2eservice"
        script.strings = [
            "\(unit) LoadState": "loaded", "\(unit) ActiveState": "active", "\(unit) UnitFileState": "enabled",
            "\(unit) NeedDaemonReload": "1", "\(unit) ActiveEnterTimestampMonotonic": "18446744073709551615",
        ]
        try await FakeSystemd(script).serve { systemd in
            let status = try await systemd.status(of: "my-app@one.service")
            #expect(
                status
                    == UnitStatus(
                        load: "loaded",
                        active: "active",
                        file: "enabled",
                        needsReload: true,
                        activeSince: .max
                    )
            )
        }
    }

    @Test func restartsAreSystemdsOwnCount() async throws {
        var script = FakeSystemd.Script()
        script.strings = ["nodeup_2eservice NRestarts": "7"]
        try await FakeSystemd(script).serve { systemd in
            let count = try await systemd.restarts(of: "nodeup.service")
            #expect(count == 7)
        }
    }

    @Test(arguments: [UnitChange.start, .stop, .restart])
    func aJobIsStartedAndItsEndAwaited(_ change: UnitChange) async throws {
        let fake = FakeSystemd()
        try await fake.serve { try await $0.change("a.service", change) }
        let method = ["start": "StartUnit", "stop": "StopUnit", "restart": "RestartUnit"][change.rawValue] ?? ""
        let reset = change == .stop ? [] : ["ResetFailedUnit a.service"]
        #expect(fake.calls == reset + ["\(method) a.service replace"])
    }

    @Test func aFailedJobTellsWhy() async throws {
        var script = FakeSystemd.Script()
        script.jobResult = "failed"
        script.strings = ["a_2eservice Result": "exit-code", "a_2eservice ExecMainStatus": "203"]
        try await FakeSystemd(script).serve { systemd in
            let failure = await failure { try await systemd.change("a.service", .start) }
            #expect(failure?.code == "unit-failed" && failure?.kind == .transient)
            #expect(
                failure?.message.hasPrefix("cannot start a.service: the job ended as failed, exit-code, status 203")
                    == true
            )
            #expect(failure?.hint == "see `journalctl -u a.service`")
        }
    }

    @Test func enablingForcesAndReadsUnitsAgain() async throws {
        let fake = FakeSystemd()
        try await fake.serve { systemd in
            try await systemd.set("a.service", enabled: true)
            try await systemd.set("a.service", enabled: false)
        }
        #expect(
            fake.calls == ["EnableUnitFiles a.service no yes", "Reload", "DisableUnitFiles a.service no", "Reload"]
        )
    }

    @Test func aUnitWithoutAnInstallSectionCannotBeEnabled() async throws {
        var script = FakeSystemd.Script()
        script.carriesInstallInformation = false
        try await FakeSystemd(script).serve { systemd in
            #expect(await code { try await systemd.set("a.service", enabled: true) } == "unit-not-installable")
        }
    }

    @Test func refusalsAreTold() async throws {
        var script = FakeSystemd.Script()
        script.refusals = [
            "StartUnit": "org.freedesktop.systemd1.UnitMasked", "StopUnit": "org.freedesktop.systemd1.NoSuchUnit",
            "RestartUnit": "org.freedesktop.DBus.Error.NoReply", "DisableUnitFiles": "System.Error.ENOENT",
            "EnableUnitFiles": "org.freedesktop.systemd1.NoSuchUnit",
        ]
        let fake = FakeSystemd(script)
        try await fake.serve { systemd in
            let masked = await failure { try await systemd.change("a.service", .start) }
            #expect(masked?.code == "unit-masked" && masked?.kind == .permanent)
            #expect(masked?.message == "cannot start a.service: refused by the script")
            let silent = await failure { try await systemd.change("a.service", .restart) }
            #expect(silent?.code == "systemd-call-failed" && silent?.kind == .transient)
            #expect(await code { try await systemd.set("a.service", enabled: true) } == "unit-not-found")
            // What is not there is neither running nor enabled.
            try await systemd.change("a.service", .stop)
            try await systemd.set("a.service", enabled: false)
        }
    }

    @Test func whereNobodyListensItSaysSo() async {
        let systemd = SystemdManager(address: "unix:path=/nonexistent/socket")
        #expect(await code { _ = try await systemd.status(of: "a.service") } == "systemd-unreachable")
    }

    @Test func noStatusCanForgeAnotherVariable() {
        let sent = Mutex<[String]>([])
        let notifier = Notifier { text in sent.withLock { $0.append(text) } }
        notifier.ready("3 of 3\nREADY=0")
        notifier.status("a\r\nWATCHDOG=1")
        notifier.alive()
        notifier.stopping()
        notifier.extendTimeout(by: .seconds(60))
        let expected = [
            "READY=1\nSTATUS=3 of 3 READY=0", "STATUS=a WATCHDOG=1", "WATCHDOG=1", "STOPPING=1",
            "EXTEND_TIMEOUT_USEC=60000000",
        ]
        #expect(sent.withLock { $0 } == expected)
    }
}
