// SPDX-License-Identifier: Apache-2.0
import CSystemd
import Glibc
import SystemPackage

/// A connection to the service manager over sd-bus(3), for one thread.
///
/// Root talks to systemd itself, over its private socket, as systemctl(1) does: that works before the bus is up and
/// while it is restarted. Where there is no such socket the system bus carries the calls.
struct BusConnection: ~Copyable {
    /// Where systemd listens.
    static let systemdAddress = "unix:path=/run/systemd/private"
    private static let destination = "org.freedesktop.systemd1"

    let handle: OpaquePointer

    /// Connects.
    ///
    /// - Throws: `no-systemd` when this machine is not run by systemd, `systemd-unreachable` when it does not answer.
    init(address: String = Self.systemdAddress) throws(Failure) {
        if let direct = Self.open(address) {
            handle = direct
            return
        }
        var bus: OpaquePointer?
        let result = address == Self.systemdAddress ? sd_bus_open_system(&bus) : -ECONNREFUSED
        guard result >= 0, let bus else {
            guard sd_booted() > 0 || address != Self.systemdAddress else {
                throw Failure(
                    .permanent,
                    code: "no-systemd",
                    "this machine is not run by systemd",
                    hint: "units can be managed only where systemd is the init"
                )
            }
            throw Failure(
                .transient,
                code: "systemd-unreachable",
                "cannot connect to systemd",
                hint: "see whether systemd is stuck (systemctl status); a reboot cures one that is",
                cause: Errno(rawValue: -result)
            )
        }
        handle = bus
    }

    deinit { sd_bus_flush_close_unref(handle) }

    private static func open(_ address: String) -> OpaquePointer? {
        var bus: OpaquePointer?
        guard sd_bus_new(&bus) >= 0, let bus else { return nil }
        guard sd_bus_set_address(bus, address) >= 0, sd_bus_start(bus) >= 0 else {
            sd_bus_unref(bus)
            return nil
        }
        return bus
    }

    /// Calls a method and hands its reply to `read`.
    ///
    /// `append` adds the arguments and returns a negative errno(3) on failure, as sd-bus does.
    func call<Value>(
        _ member: String,
        on target: BusTarget,
        attempt: String,
        timeout: Duration = .seconds(90),
        append: (OpaquePointer) -> Int32 = { _ in 0 },
        read: (OpaquePointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        var message: OpaquePointer?
        let made = sd_bus_message_new_method_call(
            handle,
            &message,
            Self.destination,
            target.path,
            target.interface,
            member
        )
        guard made >= 0, let message else { throw .bus(made, attempt) }
        defer { sd_bus_message_unref(message) }
        let appended = append(message)
        if appended < 0 { throw .bus(appended, attempt) }
        var error = sd_bus_error()
        defer { sd_bus_error_free(&error) }
        var reply: OpaquePointer?
        let result = sd_bus_call(handle, message, UInt64(timeout.components.seconds) * 1_000_000, &error, &reply)
        guard result >= 0, let reply else { throw .bus(result, error, attempt) }
        defer { sd_bus_message_unref(reply) }
        return try read(reply)
    }

    /// A property that is a string.
    func string(_ property: String, of target: BusTarget, attempt: String) throws(Failure) -> String {
        var error = sd_bus_error()
        defer { sd_bus_error_free(&error) }
        var value: UnsafeMutablePointer<CChar>?
        let result = sd_bus_get_property_string(
            handle,
            Self.destination,
            target.path,
            target.interface,
            property,
            &error,
            &value
        )
        guard result >= 0, let value else { throw .bus(result, error, attempt) }
        defer { free(value) }
        return String(cString: value)
    }

    /// A property of fixed size: `t` is UInt64, `u` is UInt32, `i` is Int32, `b` is Int32.
    func number<Value: FixedWidthInteger>(
        _ property: String,
        _ type: Character,
        of target: BusTarget,
        attempt: String
    ) throws(Failure) -> Value {
        var error = sd_bus_error()
        defer { sd_bus_error_free(&error) }
        var value: Value = 0
        let code = CChar(truncatingIfNeeded: type.asciiValue ?? 0)
        let result = sd_bus_get_property_trivial(
            handle,
            Self.destination,
            target.path,
            target.interface,
            property,
            &error,
            code,
            &value
        )
        guard result >= 0 else { throw .bus(result, error, attempt) }
        return value
    }
}

/// An object of systemd's and one of its interfaces.
struct BusTarget {
    let path: String
    let interface: String

    /// org.freedesktop.systemd1(5), the manager object.
    static let manager = BusTarget(path: "/org/freedesktop/systemd1", interface: "org.freedesktop.systemd1.Manager")

    /// A unit, which systemd loads when it is asked about it.
    static func unit(_ name: String, interface: String = "Unit") throws(Failure) -> BusTarget {
        var path: UnsafeMutablePointer<CChar>?
        let result = sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &path)
        guard result >= 0, let path else { throw .bus(result, "cannot name the unit \(name)") }
        defer { free(path) }
        return BusTarget(path: String(cString: path), interface: "org.freedesktop.systemd1." + interface)
    }
}

/// A string argument of a message being read; empty when there is none.
func readString(_ message: OpaquePointer, type: Character = "s") -> String {
    var value: UnsafePointer<CChar>?
    guard sd_bus_message_read_basic(message, CChar(truncatingIfNeeded: type.asciiValue ?? 0), &value) > 0, let value
    else { return "" }
    return String(cString: value)
}
