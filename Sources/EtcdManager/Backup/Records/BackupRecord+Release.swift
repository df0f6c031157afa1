// SPDX-License-Identifier: Apache-2.0
import NodeOS

extension BackupRecord {
    /// Makes sure that a release of etcd can serve the backup's data: the minor that it was taken of, or the next one.
    ///
    /// - Throws: ``Failure`` `backup-newer`, `backup-older`, `etcd-version-unsupported`, all permanent.
    /// - Source: etcd's documentation of upgrades: one minor at a time, and back not at all.
    public func requireServable(by release: String) throws {
        let (taken, serving) = (try EtcdRelease(etcdRelease).minor, try EtcdRelease(release).minor)
        if taken > serving {
            throw Failure(
                .permanent,
                code: "backup-newer",
                "backup \(name) was taken of etcd \(etcdRelease), and etcd \(release) cannot serve its data",
                hint: "set the etcd cluster's version to \(etcdRelease) or later first"
            )
        }
        guard taken + 1 < serving else { return }
        throw Failure(
            .permanent,
            code: "backup-older",
            "backup \(name) was taken of etcd \(etcdRelease), and etcd \(release) skips 3.\(taken + 1): it cannot take the data over",
            hint: "choose a backup that etcd 3.\(serving - 1) or 3.\(serving) has taken"
        )
    }
}
