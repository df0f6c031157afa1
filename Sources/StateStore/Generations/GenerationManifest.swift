// SPDX-License-Identifier: Apache-2.0
public import KopsModel

/// What a generation consists of.
///
/// - Shape: JSON at `<cluster>/generations/<n>/manifest.json`.
public struct GenerationManifest: Codable, Sendable, Equatable {
    /// The cluster it belongs to.
    public let cluster: String
    /// Counts from 1.
    public let generation: Int
    /// The SHA-256 of the manifest it was made from; `nil` for the first.
    public let parent: String?
    /// When it was made, ISO 8601 in UTC.
    public let created: String
    /// Who made it, as `user@host`.
    public let author: String
    /// Why, in one line.
    public let message: String
    /// Whose heads are followed after this one: how trust in signing keys moves on.
    public let trust: [TrustedKey]
    /// The SHA-256 of each object by its name.
    public let objects: [String: String]

    /// Makes a manifest from its parts.
    public init(
        cluster: String,
        generation: Int,
        parent: String?,
        created: String,
        author: String,
        message: String,
        trust: [TrustedKey],
        objects: [String: String]
    ) {
        self.cluster = cluster
        self.generation = generation
        self.parent = parent
        self.created = created
        self.author = author
        self.message = message
        self.trust = trust
        self.objects = objects
    }
}

/// What a machine has followed last, so that it never goes back.
public struct FollowedGeneration: Codable, Sendable, Equatable {
    /// Counts from 1; 0 for none.
    public var number: Int
    /// The SHA-256 of its manifest.
    public var manifest: String
    /// Whose heads are believed from now on.
    public var trust: [TrustedKey]

    /// Makes a value from its parts.
    public init(number: Int, manifest: String, trust: [TrustedKey]) {
        self.number = number
        self.manifest = manifest
        self.trust = trust
    }
}
