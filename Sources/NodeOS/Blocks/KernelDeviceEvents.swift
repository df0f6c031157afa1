// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
public import SystemPackage

/// The kernel's and udev's own events, and changes in a directory where others write down what is attached.
///
/// They are hints: anybody who may send them may at the worst make somebody look.
///
/// - Source: netlink(7), NETLINK_KOBJECT_UEVENT; inotify(7).
public struct KernelDeviceEvents: DeviceEvents {
    /// NETLINK_KOBJECT_UEVENT, linux/netlink.h.
    private static let uevents: Int32 = 15

    private let directory: FilePath?

    /// Makes a source of events; `directory` need not be there.
    public init(directory: FilePath? = nil) { self.directory = directory }

    /// The events from this call on.
    public func events() throws -> AsyncStream<DeviceEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: DeviceEvent.self, bufferingPolicy: .bufferingNewest(64))
        let socket = try Self.socket()
        var sources = [Self.source(socket) { for event in Self.messages(socket) { continuation.yield(event) } }]
        if let watch = watch() {
            sources.append(Self.source(watch) { if Self.drain(watch) { continuation.yield(DeviceEvent(.changed)) } })
        }
        for source in sources { source.resume() }
        // A source may be cancelled from anywhere (dispatch_source_create(3)), which its type does not say.
        nonisolated(unsafe) let resumed = sources
        continuation.onTermination = { _ in for source in resumed { source.cancel() } }
        return stream
    }

    /// Calls whenever something can be read, and closes the descriptor in the end.
    private static func source(_ descriptor: Int32, _ ready: @escaping @Sendable () -> Void) -> any DispatchSourceRead {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
        source.setEventHandler(handler: ready)
        source.setCancelHandler { close(descriptor) }
        return source
    }

    private static func socket() throws(Failure) -> Int32 {
        let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = Glibc.socket(AF_NETLINK, type, Self.uevents)
        guard descriptor >= 0 else { throw .system(errno, "cannot open", "the kernel's socket of device events") }
        // sockaddr_nl: family, padding, a port that the kernel chooses, the groups of the kernel and of udev.
        var address = [UInt8](repeating: 0, count: 12)
        withUnsafeBytes(of: UInt16(AF_NETLINK)) { address.replaceSubrange(0..<2, with: $0) }
        withUnsafeBytes(of: UInt32(1 | 2)) { address.replaceSubrange(8..<12, with: $0) }
        let result = address.withUnsafeBytes { bytes in
            bytes.baseAddress.map { bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self), 12) } ?? -1
        }
        guard result == 0 else {
            let number = errno
            close(descriptor)
            throw .system(number, "cannot listen on", "the kernel's socket of device events")
        }
        return descriptor
    }

    /// What is there to be read now.
    private static func messages(_ descriptor: Int32) -> [DeviceEvent] {
        var events: [DeviceEvent] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 {
                if let event = DeviceEvent(message: Array(buffer[..<count])) { events.append(event) }
            } else if count < 0, errno == ENOBUFS {
                events.append(DeviceEvent(.missed))
            } else if count == 0 || errno != EINTR {
                return events
            }
        }
    }

    private func watch() -> Int32? {
        guard let directory else { return nil }
        let descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard descriptor >= 0 else { return nil }
        if inotify_add_watch(descriptor, directory.string, UInt32(IN_MOVED_TO | IN_CLOSE_WRITE)) >= 0 {
            return descriptor
        }
        close(descriptor)
        return nil
    }

    /// - Returns: Whether there was anything to be read.
    private static func drain(_ descriptor: Int32) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var hasRead = false
        while read(descriptor, &buffer, buffer.count) > 0 { hasRead = true }
        return hasRead
    }
}
