// SPDX-License-Identifier: Apache-2.0
import CSystemd
import Glibc

/// The jobs that ended while a connection listens, by object path.
final class EndedJobs {
    private var results: [String: String] = [:]
    private var slot: OpaquePointer?

    /// Listens on a connection; before the job is started, so that its end cannot be missed.
    init(_ bus: borrowing BusConnection) throws(Failure) {
        let isBus = sd_bus_is_bus_client(bus.handle) > 0
        let matched = sd_bus_match_signal(
            bus.handle,
            &slot,
            isBus ? "org.freedesktop.systemd1" : nil,
            BusTarget.manager.path,
            BusTarget.manager.interface,
            "JobRemoved",
            { message, context, _ in
                guard let message, let context else { return 0 }
                Unmanaged<EndedJobs>.fromOpaque(context).takeUnretainedValue().take(message)
                return 0
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
        if matched < 0 { throw .bus(matched, "cannot listen for the end of jobs") }
        // Over the bus systemd sends signals only to those who ask; directly it always does.
        if isBus {
            try bus.call("Subscribe", on: .manager, attempt: "cannot listen to systemd") { _ throws(Failure) in }
        }
    }

    deinit { sd_bus_slot_unref(slot) }

    /// How a job ended: `done`, `failed`, `timeout`, `dependency`, …; `nil` while it runs.
    subscript(job: String) -> String? { results[job] }

    /// JobRemoved(u id, o job, s unit, s result).
    private func take(_ message: OpaquePointer) {
        var number: UInt32 = 0
        guard sd_bus_message_read_basic(message, CChar(UInt8(ascii: "u")), &number) > 0 else { return }
        let job = readString(message, type: "o")
        _ = readString(message)
        results[job] = readString(message)
    }

    /// Handles messages until the job has ended.
    ///
    /// - Throws: `unit-timeout` after the deadline, `cancelled` when the task was.
    func wait(
        for job: String,
        on bus: borrowing BusConnection,
        within limit: Duration,
        _ cancellation: BlockingThread.Cancellation,
        attempt: String
    ) throws(Failure) -> String {
        let end = ContinuousClock.now + limit
        while true {
            if let result = results[job] { return result }
            let processed = sd_bus_process(bus.handle, nil)
            if processed < 0 { throw .bus(processed, "\(attempt): lost the connection to systemd") }
            if processed > 0 { continue }
            if cancellation.isCancelled {
                throw Failure(.transient, code: "cancelled", "\(attempt): cancelled", hint: "run again")
            }
            guard ContinuousClock.now < end else {
                throw Failure(
                    .transient,
                    code: "unit-timeout",
                    "\(attempt): the job did not end within \(limit)",
                    hint: "see `systemctl list-jobs` for what it waits for"
                )
            }
            // Short, so that a cancellation is seen.
            let waited = sd_bus_wait(bus.handle, 250_000)
            if waited < 0, waited != -EINTR { throw .bus(waited, "\(attempt): lost the connection to systemd") }
        }
    }
}
