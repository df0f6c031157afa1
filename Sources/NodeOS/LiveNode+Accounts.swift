// SPDX-License-Identifier: Apache-2.0

extension LiveNode {
    /// See ``NodeReader/user(named:)``.
    public func user(named name: String) async throws -> UserEntry? { try accounts.table().user(named: name) }

    /// See ``NodeReader/group(named:)``.
    public func group(named name: String) async throws -> GroupEntry? { try accounts.table().group(named: name) }

    /// See ``NodeWriter/setUser(_:groups:)``; `groups` are exactly the supplementary groups afterwards.
    public func setUser(_ user: UserEntry, groups: [String]) async throws {
        try await accounts.setUser(user, groups: groups)
    }

    /// See ``NodeWriter/removeUser(_:)``.
    public func removeUser(_ name: String) async throws { try await accounts.removeUser(name) }

    /// See ``NodeWriter/setGroup(_:gid:)``.
    public func setGroup(_ name: String, gid: UInt32?) async throws { try await accounts.setGroup(name, gid: gid) }

    /// See ``NodeWriter/removeGroup(_:)``.
    public func removeGroup(_ name: String) async throws { try await accounts.removeGroup(name) }
}
