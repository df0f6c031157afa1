// SPDX-License-Identifier: Apache-2.0

extension SafetyRules {
    /// What keeps data from a release of etcd that cannot take it over.
    ///
    /// - Source: etcd's documentation of upgrades: one minor at a time, and back not at all. Patches share their data.
    static let releaseRules: [Rule] = [
        Rule(name: "release-never-older") { act in
            guard let (declared, data, cluster) = releases(of: act) else { return nil }
            let known = [data?.newest, cluster].compactMap { $0.flatMap(Minor.init) }
            guard let newer = known.max(), declared < newer else { return nil }
            return "etcd \(declared) is older than \(newer), which the data is of"
        },
        Rule(name: "release-never-skips") { act in
            guard let (declared, data, cluster) = releases(of: act) else { return nil }
            let known = [data?.oldest, cluster].compactMap { $0.flatMap(Minor.init) }
            guard let oldest = known.min(), declared > oldest.next else { return nil }
            return "etcd \(declared) skips \(oldest.next): there is data of \(oldest)"
        },
    ]

    /// The release that an act lets etcd run with, those of the member's data, and that of the whole cluster.
    private static func releases(of act: RiskyAct) -> (declared: Minor, data: ReleaseRange?, cluster: String?)? {
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
        return declared.flatMap(Minor.init).map { ($0, data, cluster) }
    }
}

/// A release of etcd without its patch number, which decides how data is kept.
struct Minor: Comparable, CustomStringConvertible {
    private let major: Int
    private let minor: Int

    /// Reads a release such as `3.4.23`; `nil` for what is none.
    init?(_ release: String) {
        let numbers = release.split(separator: ".").map { Int($0) }
        guard numbers.count >= 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        self.init(major: major, minor: minor)
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
