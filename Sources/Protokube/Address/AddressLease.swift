// SPDX-License-Identifier: Apache-2.0

/// Who has the API servers' address, as Kubernetes keeps it in a Lease.
struct AddressLease: Sendable, Equatable {
    /// The machine; empty when the last one gave it back.
    var holder: String
    /// How often the holder changed.
    var transitions = 0
    /// Since when the holder has it, as the Lease says; `nil` to have it said anew.
    var acquired: String?
    /// What the API server told of this state of the Lease; `nil` of one that is not there yet.
    var version: String?
}

/// The Lease, reached by this machine's own API server: who cannot reach it there has no use for the address.
protocol AddressLeases: Sendable {
    /// Returns when the API server is ready.
    ///
    /// - Throws: ``NotServing`` when it is not, for certain; anything else when that is not known.
    func ready() async throws
    /// The Lease; `nil` when there is none.
    func read() async throws -> AddressLease?
    /// Writes the Lease, if it is still in the state that `lease` was made from.
    ///
    /// - Returns: It as it is now, in a new state.
    func write(_ lease: AddressLease) async throws -> AddressLease
}

/// This machine's API server does not serve.
struct NotServing: Error, CustomStringConvertible {
    let description: String
}
