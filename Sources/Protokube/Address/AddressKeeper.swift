// SPDX-License-Identifier: Apache-2.0
import Logging
import NodeOS

/// Has the API servers' address on this machine while, and only while, it is this machine's turn.
///
/// It runs beside the pipeline, whose steps may take longer than a lease lasts.
struct AddressKeeper: Sendable {
    /// How the address stands, as far as this machine knows.
    enum Standing: Sendable {
        /// Nobody has said anything yet.
        case unknown(Failure?)
        /// It is on a machine.
        case held(by: String)
    }

    let address: String
    let identity: String
    let leases: any AddressLeases
    let link: any AddressLink
    let clock: any Clock<Duration>
    let log: Logger
    var timing = AddressElection.Timing()
    let standing = Handover<Standing>()

    /// Longer between asking the clock and telling the kernel, and the kernel was told too much.
    private static let patience: Duration = .milliseconds(500)

    /// Keeps it until the surrounding task is cancelled, and then lets it go.
    func run() async {
        // What another run left here is nobody's turn.
        note { try link.drop() }
        let elapsed = Stopwatch(clock).elapsed
        var election = AddressElection(identity: identity, timing: timing)
        var isHere = false
        while !Task.isCancelled {
            let next = await look(&election, isHere: &isHere, elapsed)
            try? await clock.sleep(for: max(next - elapsed(), .milliseconds(1)))
        }
        await leave(&election, isHere: &isHere)
    }

    /// Whether the address is on some machine.
    ///
    /// - Throws: ``Failure`` `api-address-unclaimed` (waiting).
    func check() throws {
        switch standing.value {
        case .held: return
        case .unknown(let cause): throw unclaimed(cause)
        case nil: throw unclaimed(nil)
        }
    }

    private func unclaimed(_ cause: (any Error)?) -> Failure {
        Failure(
            .waiting,
            code: "api-address-unclaimed",
            "no machine is known to have the API servers' address \(address)",
            hint: "kubectl -n kube-system get lease \(KubeLeases.name) -o yaml; journalctl -u protokube",
            cause: cause
        )
    }

    /// One look at the Lease, and what follows from it; returns when the next is due.
    private func look(
        _ election: inout AddressElection,
        isHere: inout Bool,
        _ elapsed: @Sendable () -> Duration
    ) async -> Duration {
        let began = elapsed()
        do {
            try await leases.ready()
            if let claim = election.read(try await leases.read(), at: elapsed()) {
                let asked = elapsed()
                election.wrote(try await leases.write(claim), asked: asked, at: elapsed())
            }
            try settle(election, isHere: &isHere, elapsed)
            standing.value = election.holder.map { .held(by: $0) } ?? .unknown(nil)
            return election.nextLook(after: began)
        } catch {
            if error is NotServing { await leave(&election, isHere: &isHere) }
            // What is not known to be over goes on for as long as it may.
            note { try settle(election, isHere: &isHere, elapsed, extending: false) }
            if !Task.isCancelled { standing.value = .unknown(Failure(error, during: "address")) }
            return elapsed() + timing.retry
        }
    }

    /// Makes the interface as the election has it.
    private func settle(
        _ election: AddressElection,
        isHere: inout Bool,
        _ elapsed: @Sendable () -> Duration,
        extending: Bool = true
    ) throws {
        let asked = elapsed()
        guard let seconds = election.tenure(at: asked) else { return try drop(&isHere) }
        guard extending else { return }
        if !isHere { log.notice("takes \(address)") }
        isHere = true
        try link.hold(seconds: seconds)
        guard elapsed() - asked < Self.patience else { return try drop(&isHere) }
        // Each time: a neighbour that missed it, or a switch that forgot, hears it again.
        try link.announce()
    }

    private func drop(_ isHere: inout Bool) throws {
        guard isHere else { return }
        try link.drop()
        isHere = false
        log.notice("lets \(address) go")
    }

    /// Lets the address go, and says so, that others need not wait: in this order.
    private func leave(_ election: inout AddressElection, isHere: inout Bool) async {
        let resignation = isHere ? election.resignation : nil
        election.giveUp()
        do { try drop(&isHere) } catch { return note { throw error } }
        guard let resignation else { return }
        // Also when this task is cancelled, which a request would end with.
        _ = await Task { [leases] in try? await leases.write(resignation) }.value
    }

    private func note(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            log.warning("\((error as? Failure)?.chain ?? "\(error)")")
        }
    }
}
