// SPDX-License-Identifier: Apache-2.0
import CSystemd
import Glibc
import SystemPackage

extension Failure {
    /// A negative result of sd-bus.
    static func bus(_ result: Int32, _ attempt: String) -> Failure {
        Failure(.transient, code: "systemd-call-failed", attempt, hint: lookAtIt, cause: Errno(rawValue: -result))
    }

    /// A negative result of a call, and what the other side said.
    static func bus(_ result: Int32, _ error: sd_bus_error, _ attempt: String) -> Failure {
        guard let name = error.name.map({ String(cString: $0) }) else { return bus(result, attempt) }
        let text = error.message.map { String(cString: $0) } ?? name
        let known = refusals[name]
        return Failure(
            known?.kind ?? .transient,
            code: known?.code ?? "systemd-call-failed",
            "\(attempt): \(text)",
            hint: known?.hint ?? lookAtIt
        )
    }

    private static let lookAtIt = "see what systemd is at (systemctl list-jobs, journalctl -b _PID=1)"

    /// The refusals that no second attempt changes, by the error names of systemd's D-Bus API.
    private static let refusals: [String: (kind: Class, code: String, hint: String)] = {
        let notFound = (
            kind: Class.permanent, code: "unit-not-found", hint: "install what brings the unit, or write its file"
        )
        let invalid = (
            kind: Class.permanent, code: "unit-invalid", hint: "see `systemd-analyze verify` for the unit's file"
        )
        let refuses = (
            kind: Class.permanent, code: "unit-refuses", hint: "change the unit it belongs to: this one follows it"
        )
        let masked = (kind: Class.permanent, code: "unit-masked", hint: "unmask the unit (systemctl unmask)")
        return [
            "org.freedesktop.systemd1.NoSuchUnit": notFound,
            "org.freedesktop.DBus.Error.FileNotFound": notFound,
            "System.Error.ENOENT": notFound,
            "org.freedesktop.systemd1.LoadFailed": invalid,
            "org.freedesktop.systemd1.BadUnitSetting": invalid,
            "org.freedesktop.DBus.Error.InvalidArgs": invalid,
            "org.freedesktop.systemd1.UnitMasked": masked,
            "org.freedesktop.systemd1.OnlyByDependency": refuses,
            "org.freedesktop.systemd1.JobTypeNotApplicable": refuses,
            "org.freedesktop.systemd1.TransactionOrderIsCyclic": (
                .permanent, "unit-cycle", "take one of After= or Before= out of the units (systemd-analyze verify)"
            ),
            "org.freedesktop.systemd1.TransactionIsDestructive": (
                .transient, "unit-job-in-the-way", "wait for the other job, such as a shutdown (systemctl list-jobs)"
            ),
            "org.freedesktop.DBus.Error.AccessDenied": (.permanent, "permission-denied", "run as root"),
        ]
    }()
}
