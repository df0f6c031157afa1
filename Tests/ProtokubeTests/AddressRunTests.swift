// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import Logging
import NodeBuilders
import NodeOS
import NodeTesting
import Synchronization
import SystemPackage
import Testing

@testable import Protokube

/// protokube on one of several control-plane machines.
@Suite struct AddressRunTests {
    /// An interface that notes what is done to it and tells when the address is there.
    private final class Interface: AddressLink {
        private let deeds = Mutex<[String]>([])
        private let isHeld: @Sendable () -> Void

        init(isHeld: @escaping @Sendable () -> Void) { self.isHeld = isHeld }
        var all: [String] { deeds.withLock { $0 } }
        func hold(seconds: Int) {
            deeds.withLock { $0.append("hold") }
            isHeld()
        }
        func drop() { deeds.withLock { $0.append("drop") } }
        func announce() {}
    }

    private let fixture = Fixture()
    private let server = LeaseServer()

    @Test("it takes the address beside a pipeline that waits, and at its end lets it go and says so")
    func takes() async throws {
        var config = Fixture.config()
        config.network.apiAddress = "10.3.0.254"
        try await fixture.seal(config)
        await fixture.node.change { machine in
            machine.put("authority", at: NodePaths.authority)
            for end in ["crt", "key"] { machine.put(end, at: NodePaths.adminPKI.appending("admin.\(end)")) }
        }
        let (held, isHeld) = AsyncStream.makeStream(of: Void.self)
        let interface = Interface(isHeld: { isHeld.yield() })
        let asked = Handover<[String]>()
        let run = Run(
            node: fixture.node,
            boot: Bench.boot,
            http: server,
            clock: SimulatedClock(),
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            devices: RunTests.Silent(),
            link: { address, own in
                asked.value = [address, own]
                return interface
            },
            open: { [store = fixture.store] _ in store }
        )
        let running = Task { try await run.run(once: false) }
        for await _ in held { break }
        #expect(server.state.withLock { $0.lease?["spec"]?["holderIdentity"] } == .string(Bench.boot.instance))
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
        #expect(asked.value == ["10.3.0.254", Bench.boot.address])
        #expect(interface.all.first == "drop" && interface.all.last == "drop")
        #expect(server.state.withLock { $0.lease?["spec"]?["holderIdentity"] } == "")
    }
}
