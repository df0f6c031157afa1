// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import PKI
import StateStore

/// One step of moving a keyset to a new pair: create, promote, distrust, each published and followed before the next.
///
/// - Source: kops' `create keypair`, `promote keypair`, `trust keypair`, `distrust keypair`.
/// - Differs: a step is refused while a machine has not followed the one before it.
enum KeysetStep {
    /// Makes a pair that is trusted and does not sign yet.
    case create(Keyset.Pair)
    /// Lets a trusted pair sign.
    case promote(String?)
    /// Believes a pair again.
    case trust(String)
    /// Believes what a pair signed no more.
    case distrust(String)

    /// The keyset after the step.
    ///
    /// - Throws: ``CommandFailure`` when the step cannot be done to it.
    func applied(to keyset: Keyset) throws -> Keyset {
        var keyset = keyset
        switch self {
        case .create(let pair):
            guard !keyset.pairs.contains(where: { $0.id == pair.id }) else {
                throw CommandFailure("keyset \(keyset.name) has a pair \(pair.id) already", remedy: "try again")
            }
            keyset.pairs.append(pair)
        case .promote(let id):
            let pair = try Self.pair(id ?? Self.youngest(of: keyset), in: keyset)
            guard pair.isDistrusted != true else {
                throw CommandFailure(
                    "pair \(pair.id) of keyset \(keyset.name) is not trusted",
                    remedy: "trust it first with kopslite trust keypair \(keyset.name) \(pair.id)"
                )
            }
            keyset.primary = pair.id
        case .trust(let id): try Self.mark(id, isDistrusted: nil, in: &keyset)
        case .distrust(let id):
            guard id != keyset.primary else {
                throw CommandFailure(
                    "pair \(id) signs for keyset \(keyset.name)",
                    remedy: "promote another first with kopslite promote keypair \(keyset.name)"
                )
            }
            try Self.mark(id, isDistrusted: true, in: &keyset)
        }
        return keyset
    }

    private static func mark(_ id: String, isDistrusted: Bool?, in keyset: inout Keyset) throws {
        let pair = try pair(id, in: keyset)
        for index in keyset.pairs.indices where keyset.pairs[index].id == pair.id {
            keyset.pairs[index].isDistrusted = isDistrusted
        }
    }

    private static func youngest(of keyset: Keyset) throws -> String {
        guard let last = keyset.trustedPairs.last, last.id != keyset.primary else {
            throw CommandFailure(
                "keyset \(keyset.name) has no pair that is younger than the one that signs",
                remedy: "make one with kopslite create keypair \(keyset.name)"
            )
        }
        return last.id
    }

    private static func pair(_ id: String, in keyset: Keyset) throws -> Keyset.Pair {
        if let pair = keyset.pairs.first(where: { $0.id == id }) { return pair }
        throw CommandFailure(
            "keyset \(keyset.name) has no pair \(id)",
            remedy: "its pairs: \(keyset.pairs.map(\.id).joined(separator: ", "))"
        )
    }
}

/// How far each machine has followed the keys: what a rotation's next step waits for.
struct RotationProgress {
    struct Row {
        let machine: String
        let role: String
        let generation: String
        let state: String
        let hasFollowed: Bool
    }

    let head: Int
    let rows: [Row]

    /// Compares what machines report with the generation in force.
    init(cluster: ResolvedCluster, head: Int, board: StatusBoard) {
        self.head = head
        rows = cluster.machines.map { machine in
            let report = board.reports.first { $0.instance == machine.name && $0.agent == "nodeup" }
            let followed = report.map { $0.phase == .converged && ($0.generation ?? 0) >= head } ?? false
            return Row(
                machine: machine.name,
                role: machine.role.rawValue,
                generation: report?.generation.map(String.init) ?? "-",
                state: report?.phase.rawValue ?? "has not reported",
                hasFollowed: followed
            )
        }
    }

    /// The machines that have not followed yet.
    var waiting: [String] { rows.filter { !$0.hasFollowed }.map(\.machine) }

    /// `MACHINE ROLE GENERATION STATE FOLLOWED`.
    var text: String {
        Table(
            ["MACHINE", "ROLE", "GENERATION", "STATE", "FOLLOWED"],
            rows: rows.map { [$0.machine, $0.role, $0.generation, $0.state, $0.hasFollowed ? "yes" : "no"] }
        ).text
    }
}
