// SPDX-License-Identifier: Apache-2.0

/// Every byte that a cluster's machines download, with all places it may come from.
///
/// - Shape: JSON, the object `assets.lock.json` of a generation; sorted by name.
public struct AssetLock: Codable, Sendable, Equatable {
    /// One file.
    public struct Entry: Codable, Sendable, Equatable {
        /// The name node builders know it by, such as `kubelet`.
        public var name: String
        /// The SHA-256 of the file as 64 lower-case hex digits.
        public var sha256: String
        /// In bytes; `nil` where the repository does not say.
        public var size: Int64?
        /// Where it is in a file repository, such as `v1.20.2/bin/linux/amd64/kubelet`.
        public var path: String
        /// URLs in the order they are tried.
        public var sources: [String]
        /// For a container image: the reference it carries.
        public var image: String?
        /// The roles that need it; all when empty.
        public var roles: [InstanceRole]

        /// Makes an entry from its parts.
        public init(
            name: String,
            sha256: String,
            size: Int64?,
            path: String,
            sources: [String],
            image: String? = nil,
            roles: [InstanceRole]
        ) {
            self.name = name
            self.sha256 = sha256
            self.size = size
            self.path = path
            self.sources = sources
            self.image = image
            self.roles = roles
        }
    }

    /// The files.
    public var assets: [Entry]

    /// Its name among a generation's objects.
    public static let objectName = "assets.lock.json"

    /// Makes a lock from its entries.
    public init(assets: [Entry]) { self.assets = assets }
}
