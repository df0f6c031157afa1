// SPDX-License-Identifier: Apache-2.0
import KopsModel

extension SafetyRules {
    /// What keeps data from a release of etcd that cannot take it over.
    ///
    /// - Source: etcd's documentation of upgrades: one minor at a time, and back not at all. Patches share their data, but 3.6 is
    ///   not for what early ones of 3.5 left behind (``EtcdVersion/stop(after:)``).
    static let releaseRules: [Rule] = [
        Rule(name: "release-never-older") { act in
            guard let found = releases(of: act), let declared = Minor(found.declared) else { return nil }
            let known = [found.data?.newest, found.cluster].compactMap { $0.flatMap(Minor.init) }
            guard let newer = known.max(), declared < newer else { return nil }
            return "etcd \(declared) is older than \(newer), which the data is of"
        },
        Rule(name: "release-never-skips") { act in
            guard let found = releases(of: act), let declared = Minor(found.declared) else { return nil }
            let known = [found.data?.oldest, found.cluster].compactMap { $0.flatMap(Minor.init) }
            guard let oldest = known.min(), declared > oldest.next else { return nil }
            return "etcd \(declared) skips \(oldest.next): there is data of \(oldest)"
        },
        Rule(name: "release-only-after-patch") { act in
            guard let found = releases(of: act), let declared = EtcdVersion(reported: found.declared) else {
                return nil
            }
            let known = [found.data?.oldest, found.cluster].compactMap { $0 } + oldestOfAll(act)
            guard let oldest = known.compactMap(EtcdVersion.init(reported:)).min(),
                let stop = declared.stop(after: oldest)
            else { return nil }
            return "before etcd \(declared) every member must run \(stop) or later, and there is data of \(oldest):"
                + " \(stop) is to be declared first, or a later release of \(stop.major).\(stop.minor)"
        },
    ]

    /// The release that an act lets etcd run with, those of the member's data, and that of the whole cluster.
    private static func releases(of act: RiskyAct) -> (declared: String, data: ReleaseRange?, cluster: String?)? {
        let (declared, data, cluster): (String?, ReleaseRange?, String?)
        switch act {
        case .run(let release, let member, let found, let record):
            // Where a member is all there is, its data says what the cluster has come to; the record may be behind, for it
            // starts from its volume alone when the store cannot be asked. Who joins may have its vote already, unheard.
            let isAll = found != nil && record?.members.keys.sorted() == [member]
            (declared, data, cluster) = (release, found, isAll ? nil : record?.release)
        case .restart(let member, let view):
            (declared, data, cluster) = (view.release, view.reports[member]?.releases, view.record.release)
        default: return nil
        }
        return declared.map { ($0, data, cluster) }
    }

    /// What members say that their data may still be of, where an act comes with their reports.
    private static func oldestOfAll(_ act: RiskyAct) -> [String] {
        guard case .restart(_, let view) = act else { return [] }
        return view.record.members.keys.compactMap { view.reports[$0]?.releases?.oldest }
    }
}

/// A release of etcd without its patch number, which decides how data is kept.
struct Minor: Comparable, CustomStringConvertible {
    private let major: Int
    private let minor: Int

    /// Reads a release such as `3.4.23`; `nil` for what is none.
    init?(_ release: String) {
        guard let version = EtcdVersion(reported: release) else { return nil }
        self.init(major: version.major, minor: version.minor)
    }

    private init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The one that follows.
    var next: Minor { Minor(major: major, minor: minor + 1) }
    var description: String { "\(major).\(minor)" }

    static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }
}
