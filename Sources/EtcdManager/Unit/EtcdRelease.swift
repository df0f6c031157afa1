// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS

/// A release of etcd as far as its flags differ.
public struct EtcdRelease: Sendable, Equatable {
    /// The minor number of release 3.
    public let minor: Int

    /// Reads a version such as `3.4.23`.
    ///
    /// - Throws: ``Failure`` `etcd-version-unsupported` (permanent) for anything but 3.4 to 3.6.
    public init(_ version: String) throws {
        guard let found = EtcdVersion(version), found.isSupported else {
            throw Failure(
                .permanent,
                code: "etcd-version-unsupported",
                "etcd \(version) is not a release of 3.4, 3.5 or 3.6",
                hint: "set the etcd cluster's version to one of them"
            )
        }
        minor = found.minor
    }

    /// Flags that this release has or needs and others do not.
    ///
    /// - 3.4 still logs through capnslog unless told otherwise.
    /// - 3.5 compares its data with its peers' before it serves, since 3.5.0 to 3.5.2 could corrupt it; 3.6 does the
    ///   same by a feature gate.
    var flags: [String] {
        switch minor {
        case 4: ["--logger=zap", "--log-outputs=stderr"]
        case 5: ["--log-outputs=stderr", "--experimental-initial-corrupt-check=true"]
        default: ["--log-outputs=stderr", "--feature-gates=InitialCorruptCheck=true"]
        }
    }
}
