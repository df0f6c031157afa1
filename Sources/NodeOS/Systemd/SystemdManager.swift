// SPDX-License-Identifier: Apache-2.0
import CSystemd

/// The service manager, asked over D-Bus (org.freedesktop.systemd1(5)).
///
/// Each question has a connection and a thread of its own: connecting to the private socket takes less than a
/// millisecond, nothing is shared, and a unit that takes minutes to start holds up no other.
struct SystemdManager: Sendable {
    let address: String
    /// How long a job may take; longer than systemd's own default limit for starting, 90 s.
    let jobLimit: Duration

    init(address: String = BusConnection.systemdAddress, jobLimit: Duration = .seconds(300)) {
        self.address = address
        self.jobLimit = jobLimit
    }

    /// A unit as systemd sees it.
    func status(of name: String) async throws(Failure) -> UnitStatus {
        try await BlockingThread.run { _ throws(Failure) in
            let attempt = "cannot look at the unit \(name)"
            let bus = try BusConnection(address: address)
            let unit = try BusTarget.unit(name)
            let needsReload: Int32 = try bus.number("NeedDaemonReload", "b", of: unit, attempt: attempt)
            return UnitStatus(
                load: try bus.string("LoadState", of: unit, attempt: attempt),
                active: try bus.string("ActiveState", of: unit, attempt: attempt),
                file: try bus.string("UnitFileState", of: unit, attempt: attempt),
                needsReload: needsReload != 0,
                activeSince: try bus.number("ActiveEnterTimestampMonotonic", "t", of: unit, attempt: attempt)
            )
        }
    }

    /// How often systemd has started a service again by itself since somebody started it (`NRestarts`).
    func restarts(of service: String) async throws(Failure) -> Int {
        try await BlockingThread.run { _ throws(Failure) in
            let bus = try BusConnection(address: address)
            let unit = try BusTarget.unit(service, interface: "Service")
            let count: UInt32 = try bus.number(
                "NRestarts",
                "u",
                of: unit,
                attempt: "cannot look at the restarts of \(service)"
            )
            return Int(count)
        }
    }

    /// The running units whose files changed after systemd read them, sorted.
    func outdated() async throws(Failure) -> [String] {
        try await BlockingThread.run { _ throws(Failure) in
            let attempt = "cannot look at all units"
            let bus = try BusConnection(address: address)
            var names: [String] = []
            for name in try active(bus, attempt) {
                let unit = try BusTarget.unit(name)
                let isOutdated: Int32 = try bus.number("NeedDaemonReload", "b", of: unit, attempt: attempt)
                if isOutdated != 0 { names.append(name) }
            }
            return names.sorted()
        }
    }

    /// The names of the units that run (ListUnits).
    private func active(_ bus: borrowing BusConnection, _ attempt: String) throws(Failure) -> [String] {
        try bus.call("ListUnits", on: .manager, attempt: attempt) { (reply) throws(Failure) in
            var names: [String] = []
            sd_bus_message_enter_container(reply, CChar(UInt8(ascii: "a")), "(ssssssouso)")
            while sd_bus_message_enter_container(reply, CChar(UInt8(ascii: "r")), "ssssssouso") > 0 {
                let words = (0..<4).map { _ in readString(reply) }
                if words[3] == "active" { names.append(words[0]) }
                sd_bus_message_skip(reply, "ssouso")
                sd_bus_message_exit_container(reply)
            }
            return names
        }
    }

    /// Reads all unit files again.
    func reload() async throws(Failure) {
        try await BlockingThread.run { _ throws(Failure) in try reload(BusConnection(address: address)) }
    }

    /// Enables or disables a unit, and reads the unit files again so that the change shows, as systemctl(1) does.
    ///
    /// - Throws: `unit-not-installable` when the unit's file has no section `[Install]`.
    func set(_ name: String, enabled: Bool) async throws(Failure) {
        try await BlockingThread.run { _ throws(Failure) in
            let bus = try BusConnection(address: address)
            if enabled { try enable(name, bus) } else { try disable(name, bus) }
            try reload(bus)
        }
    }

    /// Starts, stops or restarts a unit and waits for the job's end.
    ///
    /// - Throws: `unit-failed` with the service's result and its last words.
    func change(_ name: String, _ change: UnitChange) async throws(Failure) {
        try await LongWork.within(jobLimit) { () async throws(Failure) in try await finish(name, change) }
    }

    private func finish(_ name: String, _ change: UnitChange) async throws(Failure) {
        try await BlockingThread.run { (cancellation) throws(Failure) in
            let attempt = "cannot \(change.rawValue) \(name)"
            let bus = try BusConnection(address: address)
            let ended = try EndedJobs(bus)
            // Retries are counted by whoever asks; systemd's own count of quick starts must not refuse them.
            if change != .stop { resetFailed(name, bus) }
            guard let job = try enqueue(name, change, attempt, bus) else { return }
            let result = try ended.wait(for: job, on: bus, within: jobLimit, cancellation, attempt: attempt)
            if result != "done", result != "skipped" { throw failure(name, attempt, result, bus) }
        }
    }

    static func method(for change: UnitChange) -> String {
        switch change {
        case .start: "StartUnit"
        case .stop: "StopUnit"
        case .restart: "RestartUnit"
        }
    }

    /// Starts the job and returns its path; `nil` when the unit to be stopped is not even loaded.
    private func enqueue(
        _ name: String,
        _ change: UnitChange,
        _ attempt: String,
        _ bus: borrowing BusConnection
    ) throws(Failure) -> String? {
        do {
            return try bus.call(
                Self.method(for: change),
                on: .manager,
                attempt: attempt,
                append: { message in
                    let first = csystemd_append_string(message, name)
                    return first < 0 ? first : csystemd_append_string(message, "replace")
                },
                read: { (reply) throws(Failure) in readString(reply, type: "o") }
            )
        } catch {
            if change == .stop, error.code == "unit-not-found" { return nil }
            throw error
        }
    }

    private func reload(_ bus: borrowing BusConnection) throws(Failure) {
        try bus.call(
            "Reload",
            on: .manager,
            attempt: "cannot make systemd read its units again",
            timeout: .seconds(180)
        ) {
            _ throws(Failure) in
        }
    }

    private func enable(_ name: String, _ bus: borrowing BusConnection) throws(Failure) {
        let installable = try bus.call(
            "EnableUnitFiles",
            on: .manager,
            attempt: "cannot enable \(name)",
            append: { message in Self.append(message, names: [name], flags: [false, true]) },
            read: { (reply) throws(Failure) in
                var carriesInstallInformation: Int32 = 0
                sd_bus_message_read_basic(reply, CChar(UInt8(ascii: "b")), &carriesInstallInformation)
                return carriesInstallInformation != 0
            }
        )
        guard installable else {
            throw Failure(
                .permanent,
                code: "unit-not-installable",
                "cannot enable \(name): its file says nothing of when",
                hint: "give it a section [Install] with WantedBy=multi-user.target"
            )
        }
    }

    private func disable(_ name: String, _ bus: borrowing BusConnection) throws(Failure) {
        do {
            try bus.call(
                "DisableUnitFiles",
                on: .manager,
                attempt: "cannot disable \(name)",
                append: { message in Self.append(message, names: [name], flags: [false]) },
                read: { _ throws(Failure) in }
            )
        } catch {
            // What has no file is not enabled.
            if error.code != "unit-not-found" { throw error }
        }
    }

    /// Appends an array of strings and booleans: (as files, b runtime[, b force]).
    private static func append(_ message: OpaquePointer, names: [String], flags: [Bool]) -> Int32 {
        var result = sd_bus_message_open_container(message, CChar(UInt8(ascii: "a")), "s")
        for name in names where result >= 0 { result = csystemd_append_string(message, name) }
        if result >= 0 { result = sd_bus_message_close_container(message) }
        for flag in flags where result >= 0 { result = csystemd_append_boolean(message, flag ? 1 : 0) }
        return result
    }

    private func resetFailed(_ name: String, _ bus: borrowing BusConnection) {
        // A unit that systemd has not loaded yet has nothing to be reset.
        try? bus.call(
            "ResetFailedUnit",
            on: .manager,
            attempt: "",
            append: { csystemd_append_string($0, name) },
            read: { _ throws(Failure) in }
        )
    }

    /// Why a job did not succeed: the service's own result and the end of its journal, as far as they can be had.
    private func failure(
        _ name: String,
        _ attempt: String,
        _ result: String,
        _ bus: borrowing BusConnection
    ) -> Failure {
        var reasons = ["the job ended as \(result)"]
        if let service = try? BusTarget.unit(name, interface: "Service"), name.hasSuffix(".service") {
            if let word = try? bus.string("Result", of: service, attempt: ""), word != "success" {
                reasons.append(word)
            }
            let status: Int32? = try? bus.number("ExecMainStatus", "i", of: service, attempt: "")
            if let status, status != 0 { reasons.append("status \(status)") }
        }
        let lines = UnitJournal.tail(of: name, lines: 3)
        if !lines.isEmpty { reasons.append("last words: " + lines.joined(separator: " | ")) }
        let isForGood = ["assert", "unsupported", "once", "invalid"].contains(result)
        return Failure(
            isForGood ? .permanent : .transient,
            code: "unit-failed",
            "\(attempt): " + reasons.joined(separator: ", "),
            hint: "see `journalctl -u \(name)`"
        )
    }
}
