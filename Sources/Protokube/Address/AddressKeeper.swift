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

    /// What a run knows.
    private struct Turn {
        var election: AddressElection
        /// Whether the address was added here and not removed since.
        var isHere = false
        /// When all went well last.
        var good: Duration = .zero
    }

    /// Keeps it until the surrounding task is cancelled, and then lets it go.
    func run() async {
        // What another run left here is nobody's turn.
        note { try link.drop() }
        let elapsed = Stopwatch(clock).elapsed
        var turn = Turn(election: AddressElection(identity: identity, timing: timing))
        while !Task.isCancelled {
            let next = await look(&turn, elapsed)
            try? await clock.sleep(for: max(next - elapsed(), .milliseconds(1)))
        }
        await leave(&turn)
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
    private func look(_ turn: inout Turn, _ elapsed: @Sendable () -> Duration) async -> Duration {
        let began = elapsed()
        do {
            try await leases.ready()
            if let claim = turn.election.read(try await leases.read(), at: elapsed()) {
                let asked = elapsed()
                turn.election.wrote(try await leases.write(claim), asked: asked, at: elapsed())
            }
        } catch {
            if error is NotServing { await leave(&turn) }
            // What is not known to be over goes on for as long as it may.
            if turn.election.tenure(at: elapsed()) == nil { note { try drop(&turn) } }
            if !Task.isCancelled, elapsed() - turn.good >= timing.lease || standing.value == nil {
                standing.value = .unknown(Failure(error, during: "address"))
            }
            return elapsed() + timing.retry
        }
        do {
            try settle(&turn, elapsed)
        } catch {
            // A machine that cannot have it on its interface leaves it to the others, who look more often than this.
            await leave(&turn)
            standing.value = .unknown(Failure(error, during: "address"))
            return elapsed() + timing.lease
        }
        turn.good = elapsed()
        standing.value = turn.election.holder.map { .held(by: $0) } ?? .unknown(nil)
        return turn.election.nextLook(after: began)
    }

    /// Makes the interface as the election has it.
    private func settle(_ turn: inout Turn, _ elapsed: @Sendable () -> Duration) throws {
        let asked = elapsed()
        guard let seconds = turn.election.tenure(at: asked) else { return try drop(&turn) }
        if !turn.isHere { log.notice("takes \(address)") }
        turn.isHere = true
        try link.hold(seconds: seconds)
        guard elapsed() - asked < Self.patience else { return try drop(&turn) }
        // Each time: a neighbour that missed it, or a switch that forgot, hears it again.
        try link.announce()
    }

    private func drop(_ turn: inout Turn) throws {
        guard turn.isHere else { return }
        try link.drop()
        turn.isHere = false
        log.notice("lets \(address) go")
    }

    /// Lets the address go, and says so, that others need not wait: in this order.
    private func leave(_ turn: inout Turn) async {
        let resignation = turn.isHere ? turn.election.resignation : nil
        turn.election.giveUp()
        do { try drop(&turn) } catch { return note { throw error } }
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
