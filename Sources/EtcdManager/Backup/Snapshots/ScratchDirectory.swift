// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Synchronization
import SystemPackage

/// A directory on a member's volume for one run, for root only; it is gone afterwards.
///
/// Each run has one of its own, for runs meet: a leader backs up what it is about to remove while a scheduled backup is on
/// its way. What a run that was killed has left goes before the next.
struct ScratchDirectory {
    /// What a run does with it; its name says so to whoever looks.
    enum Purpose: String, CaseIterable {
        case backup
        case proof
        case restore
    }

    private static let suffix = ".scratch"

    let node: any NodeWriter
    /// Where it is made.
    let volume: FilePath
    let purpose: Purpose
    /// How many bytes the run writes at most.
    let room: Int64
    let space: FreeSpace

    /// Runs a body with an empty directory, where the disk has room for it and for what other runs write.
    ///
    /// - Throws: ``Failure`` `backup-disk-full` (permanent), and what the body throws.
    func with<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
        // First, for what is left may be what takes the room.
        try await Self.clearStale(on: volume, of: node)
        let path = volume.appending("\(purpose.rawValue)-\(UInt64.random(in: .min ... .max))\(Self.suffix)")
        try inUse.claim(path, room: room) { others in try space.require(room + others, in: volume) }
        defer { inUse.release(path) }
        let value: Value
        do {
            try await node.makeDirectory(path, attributes: FileAttributes(mode: 0o700, uid: 0, gid: 0))
            value = try await body(path)
        } catch {
            try? await node.remove(path)
            throw error
        }
        try await node.remove(path)
        return value
    }

    /// Removes what runs of before this process have left on a volume, and nothing that one of its own uses.
    static func clearStale(on volume: FilePath, of node: any NodeWriter) async throws {
        for name in try await node.list(volume).sorted() where isScratch(name) {
            let path = volume.appending(name)
            // A run claims its directory before it makes it: what is there and not claimed is nobody's.
            guard inUse.claimIfFree(path) else { continue }
            defer { inUse.release(path) }
            try await node.remove(path)
        }
    }

    private static func isScratch(_ name: String) -> Bool {
        name.hasSuffix(suffix) && Purpose.allCases.contains { name.hasPrefix($0.rawValue) }
    }
}

/// The scratch directories that this process uses; no other one works on a member's volume.
private let inUse = ScratchClaims()

/// Who uses which scratch directory, with how much room.
private final class ScratchClaims: Sendable {
    private let claims = Mutex<[FilePath: Int64]>([:])

    /// Claims a directory if `admit` lets it, which hears how much room is promised to others on the same volume: all of
    /// it, for how much of it they have used by now nobody knows.
    func claim(_ path: FilePath, room: Int64, _ admit: (Int64) throws -> Void) throws {
        try claims.withLock { claims in
            let volume = path.removingLastComponent()
            try admit(claims.filter { $0.key.removingLastComponent() == volume }.map(\.value).reduce(0, +))
            claims[path] = room
        }
    }

    /// Claims a directory that nobody uses; whether it was so.
    func claimIfFree(_ path: FilePath) -> Bool {
        claims.withLock { claims in
            guard claims[path] == nil else { return false }
            claims[path] = 0
            return true
        }
    }

    func release(_ path: FilePath) { claims.withLock { $0[path] = nil } }
}
