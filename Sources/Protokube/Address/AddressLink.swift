// SPDX-License-Identifier: Apache-2.0

/// The address on this machine's interface.
protocol AddressLink: Sendable {
    /// Has the address answer here for so many seconds, counted anew each time.
    ///
    /// The kernel ends it by itself, so that a program that hangs or was killed holds no address.
    func hold(seconds: Int) throws
    /// Has the address answer here no longer; nothing happens when it does not.
    func drop() throws
    /// Tells the neighbours that the address is here now.
    func announce() throws
}
