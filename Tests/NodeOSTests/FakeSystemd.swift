// SPDX-License-Identifier: Apache-2.0
import CSystemd
import Glibc
import Synchronization
import SystemPackage

@testable import NodeOS

/// The other end of systemd's private socket: an sd-bus server that answers as systemd does and notes what it was asked.
final class FakeSystemd: Sendable {
    /// What it says when a unit's property is asked for, by unit path and property.
    struct Script: Sendable {
        var strings: [String: String] = [:]
        /// How jobs end; `nil` when they do not.
        var jobResult: String? = "done"
        var carriesInstallInformation = true
        /// The error a method is refused with, by method.
        var refusals: [String: String] = [:]
    }

    private struct State {
        var calls: [String] = []
        var isDone = false
    }

    private let script: Script
    private let state = Mutex(State())

    init(_ script: Script = Script()) { self.script = script }

    var calls: [String] { state.withLock { $0.calls } }

    /// Serves connections, one after another, while the body runs.
    func serve(_ body: (SystemdManager) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending("private").string
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard bound == 0, listen(listener, 8) == 0 else { throw Failure.system(errno, "cannot listen on", path) }
            async let serving: Void = BlockingThread.run { _ throws(Failure) in
                while true {
                    let connection = accept(listener, nil, nil)
                    if connection < 0 { return }
                    self.answer(connection)
                }
            }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(SystemdManager(address: "unix:path=\(path)", jobLimit: .seconds(20))))
            } catch {
                outcome = .failure(error)
            }
            shutdown(listener, Int32(SHUT_RDWR))
            try await serving
            close(listener)
            try outcome.get()
        }
    }

    private func answer(_ connection: Int32) {
        var bus: OpaquePointer?
        var identifier = sd_id128_t()
        sd_id128_randomize(&identifier)
        guard sd_bus_new(&bus) >= 0, let bus else { return }
        defer { sd_bus_flush_close_unref(bus) }
        sd_bus_set_fd(bus, connection, connection)
        sd_bus_set_server(bus, 1, identifier)
        sd_bus_set_anonymous(bus, 1)
        sd_bus_add_filter(
            bus,
            nil,
            { message, context, _ in
                guard let message, let context else { return 0 }
                return Unmanaged<FakeSystemd>.fromOpaque(context).takeUnretainedValue().handle(message)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
        guard sd_bus_start(bus) >= 0 else { return }
        while true {
            let processed = sd_bus_process(bus, nil)
            if processed < 0 { return }
            if processed == 0, sd_bus_wait(bus, UInt64.max) < 0 { return }
        }
    }

    private func handle(_ message: OpaquePointer) -> Int32 {
        guard sd_bus_message_is_method_call(message, nil, nil) > 0, let name = sd_bus_message_get_member(message) else {
            return 0
        }
        let member = String(cString: name)
        if member == "Get" { return property(message) }
        var words = [member]
        switch member {
        case "EnableUnitFiles", "DisableUnitFiles":
            sd_bus_message_enter_container(message, CChar(UInt8(ascii: "a")), "s")
            while case let word = readString(message), !word.isEmpty { words.append(word) }
            sd_bus_message_exit_container(message)
            for _ in 0..<(member == "EnableUnitFiles" ? 2 : 1) {
                var flag: Int32 = 0
                sd_bus_message_read_basic(message, CChar(UInt8(ascii: "b")), &flag)
                words.append(flag != 0 ? "yes" : "no")
            }
        case "Reload": break
        default:
            while case let word = readString(message), !word.isEmpty { words.append(word) }
        }
        state.withLock { $0.calls.append(words.joined(separator: " ")) }
        if let refusal = script.refusals[member] {
            var error = sd_bus_error()
            sd_bus_error_set(&error, refusal, "refused by the script")
            defer { sd_bus_error_free(&error) }
            return sd_bus_reply_method_error(message, &error)
        }
        return reply(to: member, message)
    }

    private func reply(to member: String, _ message: OpaquePointer) -> Int32 {
        var reply: OpaquePointer?
        sd_bus_message_new_method_return(message, &reply)
        defer { sd_bus_message_unref(reply) }
        switch member {
        case "StartUnit", "StopUnit", "RestartUnit":
            sd_bus_message_append_basic(reply, CChar(UInt8(ascii: "o")), "/org/freedesktop/systemd1/job/7")
            // The signal first: a job may end before its path is known.
            signalEnd(sd_bus_message_get_bus(message))
        case "EnableUnitFiles":
            csystemd_append_boolean(reply, script.carriesInstallInformation ? 1 : 0)
            appendNoChanges(reply)
        case "DisableUnitFiles": appendNoChanges(reply)
        default: break
        }
        return sd_bus_send(nil, reply, nil) < 0 ? -EIO : 1
    }

    private func appendNoChanges(_ reply: OpaquePointer?) {
        sd_bus_message_open_container(reply, CChar(UInt8(ascii: "a")), "(sss)")
        sd_bus_message_close_container(reply)
    }

    private func signalEnd(_ bus: OpaquePointer?) {
        let own = script.jobResult.map { [("7", $0)] } ?? []
        for (job, result) in [("6", "canceled")] + own {
            var signal: OpaquePointer?
            sd_bus_message_new_signal(
                bus,
                &signal,
                "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager",
                "JobRemoved"
            )
            var number: UInt32 = 7
            sd_bus_message_append_basic(signal, CChar(UInt8(ascii: "u")), &number)
            sd_bus_message_append_basic(signal, CChar(UInt8(ascii: "o")), "/org/freedesktop/systemd1/job/\(job)")
            csystemd_append_string(signal, "a.service")
            csystemd_append_string(signal, result)
            sd_bus_send(bus, signal, nil)
            sd_bus_message_unref(signal)
        }
    }

    private func property(_ message: OpaquePointer) -> Int32 {
        _ = readString(message)
        let name = readString(message)
        var reply: OpaquePointer?
        sd_bus_message_new_method_return(message, &reply)
        defer { sd_bus_message_unref(reply) }
        let type: String
        switch name {
        case "NeedDaemonReload": type = "b"
        case "ActiveEnterTimestampMonotonic": type = "t"
        case "ExecMainStatus": type = "i"
        case "NRestarts": type = "u"
        default: type = "s"
        }
        let path = sd_bus_message_get_path(message).map { String(cString: $0) } ?? ""
        let unit = path.split(separator: "/").last.map(String.init) ?? ""
        let text = script.strings["\(unit) \(name)"] ?? (type == "s" ? "" : "0")
        sd_bus_message_open_container(reply, CChar(UInt8(ascii: "v")), type)
        switch type {
        case "b": csystemd_append_boolean(reply, Int32(text) ?? 0)
        case "t":
            var number = UInt64(text) ?? 0
            sd_bus_message_append_basic(reply, CChar(UInt8(ascii: "t")), &number)
        case "u":
            var number = UInt32(text) ?? 0
            sd_bus_message_append_basic(reply, CChar(UInt8(ascii: "u")), &number)
        case "i":
            var number = Int32(text) ?? 0
            sd_bus_message_append_basic(reply, CChar(UInt8(ascii: "i")), &number)
        default: csystemd_append_string(reply, text)
        }
        sd_bus_message_close_container(reply)
        return sd_bus_send(nil, reply, nil) < 0 ? -EIO : 1
    }
}
