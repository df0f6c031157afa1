// SPDX-License-Identifier: Apache-2.0
import AddonManager
import KopsModel
import NodeOS

/// This machine's API server, as protokube's steps use it.
protocol ControlPlaneAPI: AddonTarget {
    /// Returns when the API server is ready.
    ///
    /// - Throws: ``Failure`` `api-server-not-ready` (waiting).
    func ready() async throws
    /// The labels of a node; `nil` when it is not registered.
    ///
    /// - Throws: `AddonError`.
    func labels(ofNode name: String) async throws -> [String: String]?
    /// Adds labels to a registered node.
    ///
    /// - Throws: `AddonError`.
    func label(node name: String, _ labels: [String: String]) async throws
}
