// SPDX-License-Identifier: Apache-2.0
import AddonManager
import NodeOS

/// This machine's API server.
protocol ControlPlaneAPI: AddonTarget {
    /// Returns when the API server is ready.
    ///
    /// - Throws: ``Failure`` `api-server-not-ready` (waiting).
    func ready() async throws
}
