// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import SystemPackage

@testable import NodeOS

private typealias Row = Fault<FaultBench>

extension FaultTableTests {
    /// What systemd refuses, by the names of its D-Bus interface, and how its jobs end.
    static let units: [Fault<FaultBench>] = [
        refused("systemd1.NoSuchUnit", .permanent, "unit-not-found", "install what brings the unit"),
        refused("systemd1.UnitMasked", .permanent, "unit-masked", "systemctl unmask"),
        refused("systemd1.LoadFailed", .permanent, "unit-invalid", "systemd-analyze verify"),
        refused("systemd1.BadUnitSetting", .permanent, "unit-invalid", "systemd-analyze verify"),
        refused("systemd1.OnlyByDependency", .permanent, "unit-refuses", "change the unit it belongs to"),
        refused("systemd1.JobTypeNotApplicable", .permanent, "unit-refuses", "change the unit it belongs to"),
        refused("systemd1.TransactionOrderIsCyclic", .permanent, "unit-cycle", "After="),
        refused("systemd1.TransactionIsDestructive", .transient, "unit-job-in-the-way", "systemctl list-jobs"),
        refused("DBus.Error.AccessDenied", .permanent, "permission-denied", "run as root"),
        refused("DBus.Error.NoReply", .transient, "systemd-call-failed", "journalctl -b _PID=1"),
        ended("failed", .transient, "unit-failed", "journalctl -u a.service"),
        ended("dependency", .transient, "unit-failed", "journalctl -u a.service"),
        ended("timeout", .transient, "unit-failed", "journalctl -u a.service"),
        ended("assert", .permanent, "unit-failed", "journalctl -u a.service"),
        Row("a job that does not end", .transient, "unit-timeout", "systemctl list-jobs") { _ in
            var script = FakeSystemd.Script()
            script.jobResult = nil
            try await FakeSystemd(script).serve { systemd in
                let impatient = SystemdManager(address: systemd.address, jobLimit: .zero)
                try await impatient.change("a.service", .start)
            }
        },
        Row("a unit without a section [Install]", .permanent, "unit-not-installable", "WantedBy=") { _ in
            var script = FakeSystemd.Script()
            script.carriesInstallInformation = false
            try await FakeSystemd(script).serve { try await $0.set("a.service", enabled: true) }
        },
        Row("a service manager that does not listen", .transient, "systemd-unreachable", "systemctl status") { bench in
            let address = "unix:path=\(bench.directory)/private"
            _ = try await SystemdManager(address: address).status(of: "a.service")
        },
    ]

    private static func refused(
        _ name: String,
        _ kind: Failure.Class,
        _ code: String,
        _ hint: String
    ) -> Fault<FaultBench> {
        Row("systemd answers \(name)", kind, code, hint) { _ in
            var script = FakeSystemd.Script()
            script.refusals["RestartUnit"] = "org.freedesktop.\(name)"
            try await FakeSystemd(script).serve { try await $0.change("a.service", .restart) }
        }
    }

    private static func ended(
        _ result: String,
        _ kind: Failure.Class,
        _ code: String,
        _ hint: String
    ) -> Fault<FaultBench> {
        Row("a job ends as \(result)", kind, code, hint) { _ in
            var script = FakeSystemd.Script()
            script.jobResult = result
            try await FakeSystemd(script).serve { try await $0.change("a.service", .start) }
        }
    }

    /// apt and dpkg, in their own words.
    static let packages: [Fault<FaultBench>] = [
        Row("a package no list has", .permanent, "package-not-found", "add the repository") { bench in
            try await bench.packages(known: "").install([PackageRequest(name: "a")])
        },
        Row("a version no list has", .permanent, "package-not-found", "correct the name or version") { bench in
            try await bench.packages().install([PackageRequest(name: "a", version: "2")])
        },
        Row("a mirror that is out of reach", .transient, "package-lists-incomplete", "mirrors") { bench in
            let errors = """
                W: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving \
                'deb.debian.org'
                W: Some index files failed to download. They have been ignored, or old ones used instead.
                """
            try await bench.packages(known: "") { _ in CommandResult(errors: errors.bytes) }
                .install([PackageRequest(name: "a")])
        },
        Row("lists that cannot be fetched", .transient, "package-lists-unreachable", "mirrors") { bench in
            let errors = "E: The repository 'http://m stable Release' does not have a Release file.\n"
            try await bench.packages(known: "") { _ in CommandResult(code: 100, errors: errors.bytes) }
                .install([PackageRequest(name: "a")])
        },
        Row("packages that exclude each other", .permanent, "package-conflict", "held may be in the way") { bench in
            let errors = "E: Unable to correct problems, you have held broken packages.\n"
            try await bench.packages { _ in CommandResult(code: 100, errors: errors.bytes) }
                .install([PackageRequest(name: "a")])
        },
        Row("a disk too small for a package", .permanent, "disk-full", "free space") { bench in
            let errors = "dpkg: error processing archive: unable to create '/usr/x': No space left on device\n"
            try await bench.packages { _ in CommandResult(code: 100, errors: errors.bytes) }
                .install([PackageRequest(name: "a")])
        },
        Row("a package that cannot be configured", .transient, "package-manager-failed", "why a cannot") { bench in
            let status = "Package: a\nStatus: install ok half-configured\nVersion: 1\n"
            let errors = "dpkg: error processing package a (--configure):\n installed a package post-installation "
            try await bench.packages(status: status) { _ in CommandResult(code: 1, errors: errors.bytes) }
                .install([PackageRequest(name: "a")])
        },
        Row("words that are no package", .permanent, "package-name-invalid", "lower-case letters") { bench in
            try await bench.packages().install([PackageRequest(name: "--purge")])
        },
    ]
}
