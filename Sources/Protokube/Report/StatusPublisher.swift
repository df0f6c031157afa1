// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import StateStore
import SystemPackage

/// Writes the newest status to the machine and to the state store, beside the pipeline.
///
/// A store that hangs delays reports and nothing else: while one write is under way only the newest status is kept for
/// the next.
struct StatusPublisher: Sendable {
    /// Where the report on a control-plane machine itself is.
    static let journal: FilePath = "/var/lib/kopslite/protokube-status.json"

    private let journal: FilePath
    private let node: any NodeWriter
    private let state: ClusterState
    private let inbox: AsyncStream<AgentStatus>
    private let mailbox: AsyncStream<AgentStatus>.Continuation

    init(node: any NodeWriter, state: ClusterState, journal: FilePath = Self.journal) {
        self.journal = journal
        self.node = node
        self.state = state
        (inbox, mailbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes a status to write; never waits.
    func publish(_ status: AgentStatus) { mailbox.yield(status) }

    /// Lets ``run()`` return once the newest status is written.
    func finish() { mailbox.finish() }

    /// Writes until ``finish()``.
    func run() async {
        for await status in inbox { await write(status) }
    }

    /// A report that cannot be written must not stop a control plane.
    private func write(_ status: AgentStatus) async {
        guard let bytes = try? status.encoded() else { return }
        try? await node.makeDirectory(journal.removingLastComponent(), attributes: FileAttributes(mode: 0o700))
        try? await node.write(bytes, to: journal, attributes: FileAttributes(mode: 0o600, uid: 0, gid: 0))
        try? await state.write(status: bytes)
    }
}
