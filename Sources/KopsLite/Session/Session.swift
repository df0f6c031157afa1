// SPDX-License-Identifier: Apache-2.0
import Clouds
import Foundation
import KopsModel
import StateStore

/// Everything outside the program that a command may touch; tests put their own in its place.
struct Session: Sendable {
    /// Where words go.
    var console: Console
    /// The environment's variables.
    var environment: [String: String]
    /// What waiting is measured with.
    var clock: any Clock<Duration>
    /// The time of day.
    var now: @Sendable () -> Date
    /// The bytes of a file, or of standard input for `-`.
    var readFile: @Sendable (String) throws -> [UInt8]
    /// The store behind a URL.
    var openStore: @Sendable (String) throws -> any StateStore
    /// The cloud of a name.
    var cloud: @Sendable (String) throws -> any Cloud
    /// The API server of a cluster, as an administrator.
    var kubeAPI: @Sendable (ClusterRepository, ResolvedCluster) async throws -> any KubeReading
    /// A fresh client certificate of an administrator, valid for a time.
    var adminCredentials: @Sendable (ClusterRepository, ResolvedCluster, Duration) async throws -> AdminCredentials
    /// Every file that a cluster's machines download, as its file repository has them now.
    var assets: @Sendable (ResolvedCluster) async throws -> AssetLock
    /// Copies the files of a lock to a place, telling each.
    var mirror: @Sendable (AssetLock, any StateStore, @escaping @Sendable (String) -> Void) async throws -> Void
    /// What tries a cluster's machines' reads, writes and downloads.
    var preflight: @Sendable (ClusterRepository, ResolvedCluster) -> Preflight
    /// Plans, and with `isConfirmed` applies, what a cluster's declaration asks for.
    var update: @Sendable (UpdateRequest, Session) async throws -> Void
}

/// What `update cluster` is asked to do.
struct UpdateRequest: Sendable {
    /// Where the declaration is.
    var repository: ClusterRepository
    /// The declaration, complete and valid.
    var cluster: ResolvedCluster
    /// Whether to apply the plan; otherwise it is only shown.
    var isConfirmed: Bool
    /// Whether machines are left to others.
    var leavesMachines = false
    /// The generation that is brought back; `nil` for none.
    var past: PastGeneration?
}

/// An API server as the commands use it.
protocol KubeReading: Sendable {
    /// The object or list at a path, such as `/api/v1/nodes`.
    func get(_ path: String) async throws -> JSONValue
    /// Removes an object; nothing there is no error.
    func delete(_ path: String) async throws
}

/// What a kubeconfig needs to log in.
struct AdminCredentials: Sendable, CustomStringConvertible {
    /// The API server's URL, such as `https://api.demo.example.com`.
    var server: String
    /// The name to verify when the URL has an address for a host.
    var serverName: String?
    /// PEM, whom to trust.
    var authorities: String
    /// PEM, who we are.
    var certificate: String
    /// PEM, the certificate's key.
    var privateKey: String

    /// Never the key.
    var description: String { "<credentials for \(server)>" }
}
