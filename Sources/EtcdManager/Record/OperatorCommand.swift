// SPDX-License-Identifier: Apache-2.0

/// What only a person may decide, written into the store by the person.
///
/// A newer command takes the place of a restore from which nobody serves yet: what the person stated may have been wrong.
///
/// - Shape: JSON, `etcd/<name>/command.json`.
public struct OperatorCommand: Codable, Sendable, Equatable {
    /// Another one for each command; a command is carried out once.
    public var id: String
    /// The backup to begin anew from; `nil`: a restore that is still stopping members is given up, and they go on as before.
    public var restore: String?
    /// The members that will never come back as they were, as the operator states: nobody waits for them.
    public var lost: [String]

    /// Makes a command from its parts.
    public init(id: String, restore: String?, lost: [String] = []) {
        self.id = id
        self.restore = restore
        self.lost = lost
    }
}
