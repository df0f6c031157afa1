// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// Something that could lose or fork data if it were done at the wrong time.
///
/// The manager does none of these without asking ``SafetyRules`` first.
public enum RiskyAct: Sendable, Equatable {
    /// A machine makes a volume its own.
    case claim(AnnouncedVolume, machine: String, claims: VolumeClaims)
    /// A volume is mounted although the store cannot be asked whose it is.
    case mountUnclaimed(AnnouncedVolume)
    /// A mounted volume is used although the store cannot be asked whose it is; the note on it says whose it was last.
    case useUnclaimed(AnnouncedVolume, machine: String, note: VolumeClaims.Holder?)
    /// A cluster is begun where the store knows none.
    case begin(spec: EtcdSpec, member: String, sight: LocalSight, hasBackups: Bool)
    /// A file system is made on a member's volume.
    case format(sight: LocalSight, member: String)
    /// A volume is made ready for data of the member's recorded incarnation, and what was on it is moved out of the way.
    case prepare(member: String, machine: String, sight: LocalSight, record: ClusterRecord)
    /// etcd is started on a member's volume.
    case start(EtcdUnit.ClusterState, member: String, sight: LocalSight, record: ClusterRecord)
    /// etcd is started from the volume alone, because the store cannot be read.
    case startUnrecorded(note: VolumeNote, hasData: Bool)
    /// A member's etcd is run with a release on data that another one may have written; on none of its own where `data` is
    /// `nil`.
    case run(release: String?, member: String, data: ReleaseRange?, record: ClusterRecord?)
    /// A running etcd is ended to be started with other settings.
    case restart(member: String, view: MembershipView)
    /// A member is added without a vote.
    case addLearner(member: String, view: MembershipView)
    /// A learner gets its vote.
    case promote(member: String, view: MembershipView)
    /// A member is taken out.
    case remove(member: String, view: MembershipView, spec: EtcdSpec)
    /// A member is taken out after whatever was to come before.
    case removeNow(member: String, view: MembershipView, hasBackup: Bool)
    /// The cluster is begun anew from a backup.
    case beginAnew(Operation.Restore, view: MembershipView)
    /// Something is decided by who leads with a token.
    case decide(token: Int?, record: ClusterRecord)
}

/// The rules that keep etcd's data: each forbids one kind of mistake, and nothing but it does.
public struct SafetyRules: Sendable {
    /// One rule.
    public struct Rule: Sendable {
        /// In kebab case; also the failure's code.
        public let name: String
        /// Why the act is not done now; `nil` where the rule has nothing against it.
        let objection: @Sendable (RiskyAct) -> String?
    }

    /// The rules in force.
    public let rules: [Rule]

    /// Every rule.
    public static let all = SafetyRules(
        rules: claimRules + volumeRules + startRules + releaseRules + membershipRules + leaderRules
    )

    /// The rules without one of them; for the proof that its absence is found.
    public func without(_ name: String) -> SafetyRules {
        precondition(rules.contains { $0.name == name }, "there is no rule \(name)")
        return SafetyRules(rules: rules.filter { $0.name != name })
    }

    /// Whether no rule objects.
    func allow(_ act: RiskyAct) -> Bool { objection(to: act) == nil }

    /// Why an act is not done now, in the words of the first rule that objects; `nil` where none does.
    func objection(to act: RiskyAct) -> String? { rules.lazy.compactMap { $0.objection(act) }.first }

    /// Lets an act pass or says why not.
    ///
    /// - Throws: `Failure` (waiting) with the first objecting rule's name as its code.
    package func check(_ act: RiskyAct) throws {
        for rule in rules {
            guard let reason = rule.objection(act) else { continue }
            throw Failure(.waiting, code: rule.name, reason, hint: Self.hint)
        }
    }

    private static let hint = "nothing was changed; `kopslite etcd status` shows every member and what is awaited"
}
