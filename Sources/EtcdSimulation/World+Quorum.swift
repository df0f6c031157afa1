// SPDX-License-Identifier: Apache-2.0

/// Who may be counted on, for telling the manager's own mistakes from what happens to it.
extension World {
    /// For how many turns the manager may not know yet of a trouble that is none of its making.
    static let grace = 100
    /// For how many turns a backup counts as taken just before.
    static let fresh = 600

    /// Whether a quorum of the lawful cluster serves now.
    var isAvailable: Bool {
        guard let lawful = etcd.lawful else { return false }
        return machines.indices.contains { candidate(at: $0, cluster: lawful) != nil }
    }

    /// Whether a quorum came back so lately that the manager may not know of it yet.
    var hasJustRecovered: Bool { availableSince.map { turn - $0 < Self.grace } ?? false }

    /// Whether the manager could still think that there is a quorum, with troubles it may not know of forgiven.
    func isAvailableToItsKnowledge() -> Bool {
        guard let lawful = etcd.lawful else { return false }
        let log = etcd.logs[lawful]
        guard let configuration = log.configuration(at: log.entries.count) else { return false }
        let serving = machines.indices.filter { number in
            guard let volume = machines[number].volume, let data = volumes[volume].data, data.cluster == lawful,
                configuration.voters.contains(data.memberID)
            else { return false }
            let isFine =
                machines[number].isUp && !machines[number].isPaused && machines[number].process != nil
                && machines[number].troubledSince == nil
            let isForgiven = machines[number].troubledSince.map { turn - $0 < Self.grace } ?? false
            return isFine || isForgiven
        }
        return serving.count >= configuration.quorum
    }

    /// Carries out an act of the manager's, which must not be what ends the quorum.
    mutating func acting(_ what: String, isCommanded: Bool = false, _ body: (inout World) throws -> Void) rethrows {
        let before = isAvailable
        try body(&self)
        if isCommanded || !before || isAvailable { return }
        if !isAvailableToItsKnowledge() { violate("\(what) took the quorum away") }
    }
}
