// SPDX-License-Identifier: Apache-2.0

/// A reason to look at the machine's block devices again.
public struct DeviceEvent: Sendable, Equatable {
    /// What has happened.
    public enum Kind: Sendable {
        /// A device has come or is another one now, or others have written down what is attached.
        case changed
        /// A device has another size.
        case resized
        /// A device is gone.
        case gone
        /// Something has happened that nobody can tell any more: there was too much of it.
        case missed
    }

    /// What has happened.
    public var kind: Kind
    /// To which device, in the kernel's names, such as `nvme1n1`; `nil` where that is not known.
    public var device: String?

    /// Makes an event from its parts.
    public init(_ kind: Kind, device: String? = nil) {
        self.kind = kind
        self.device = device
    }

    /// Reads a message of the kernel or of udev; `nil` when it is of anything but a block device.
    ///
    /// - Shape: the kernel's is `add@<path>` and then `NAME=value`, each with a zero byte at its end; udev's begins with
    ///   `libudev` and has its values at an offset that the header names.
    /// - Source: lib/kobject_uevent.c of Linux; src/libsystemd/sd-device/device-monitor.c of systemd.
    init?(message: [UInt8]) {
        let start: Int
        if message.starts(with: Array("libudev\0".utf8)), message.count >= 20 {
            // In the machine's own byte order.
            start = Int(message.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: UInt32.self) })
        } else {
            start = (message.firstIndex(of: 0) ?? message.count) + 1
        }
        guard start < message.count else { return nil }
        let values = message[start...].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        func value(_ name: String) -> String? {
            values.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
        }
        guard value("SUBSYSTEM") == "block" else { return nil }
        // udev names the node, the kernel what it is called below /dev.
        let device = value("DEVNAME").map { $0.hasPrefix("/dev/") ? String($0.dropFirst(5)) : $0 }
        switch value("ACTION") {
        case nil: return nil
        case "remove": self.init(.gone, device: device)
        default: self.init(value("RESIZE") == "1" ? .resized : .changed, device: device)
        }
    }
}

/// Tells when block devices come, change and go.
public protocol DeviceEvents: Sendable {
    /// The events from this call on, until their reader is cancelled.
    ///
    /// - Throws: ``Failure`` where the machine cannot tell.
    func events() throws -> AsyncStream<DeviceEvent>
}
