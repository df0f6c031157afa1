// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch

extension RealEtcdCluster {
    /// Adds a learner as soon as etcd lets it: it takes no change of its members until all have been connected for five
    /// seconds.
    nonisolated func addLearner(_ name: String, by asked: String = "a") async throws -> EtcdMember {
        try await retry("unhealthy cluster") {
            try await gateway.addLearner(peerURL: peerURL(name), at: endpoint(asked))
        }
    }

    /// Gives a learner its vote as soon as it is in step.
    nonisolated func promote(_ learner: EtcdMember, by asked: String = "a") async throws {
        try await retry("in sync with leader") { try await gateway.promote(learner.id, at: endpoint(asked)) }
    }

    /// Returns once a member knows that another is away, which is some time after it is.
    nonisolated func untilMissed(_ id: UInt64, by name: String) async throws {
        let line = #"Remote="\#(String(id, radix: 16))"} 0"#
        while true {
            let request = HTTPRequest(url: endpoint(name) + "/metrics", identity: identity)
            let text = String(decoding: try await http.send(request).body, as: UTF8.self)
            let peers = text.split(separator: "\n").filter { $0.hasPrefix("etcd_network_active_peers{") }
            if peers.contains(where: { $0.hasSuffix(line) }) { return }
            try await ContinuousClock().sleep(for: .milliseconds(50))
        }
    }

    private nonisolated func retry<Answer>(
        _ words: String,
        _ body: () async throws -> Answer
    ) async throws -> Answer {
        while true {
            do {
                return try await body()
            } catch EtcdError.rejected(_, let reason) where reason.contains(words) {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
        }
    }
}
