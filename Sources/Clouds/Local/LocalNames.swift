// SPDX-License-Identifier: Apache-2.0
import Crypto
import NodeOS

/// What a cluster's objects are called in the kernel, where names are short and shared by all clusters of a host.
///
/// Everything derives from the cluster's name, so a deletion finds them when every file is gone.
struct LocalNames: Sendable, Equatable {
    let clusterName: String
    /// Eight hexadecimal digits, different for each cluster.
    let id: String

    /// - Throws: ``Failure`` `bad-name` when the name could not be a directory's.
    init(clusterName: String) throws {
        try Self.check(clusterName, "cluster name", maximum: 253, allowed: "abcdefghijklmnopqrstuvwxyz0123456789-.")
        self.clusterName = clusterName
        id = String(Self.digest("cluster", clusterName).prefix(8))
    }

    /// The bridge: 11 characters of the 15 that a network interface's name may have.
    var bridge: String { "kl-" + id }
    /// The bridge's own address; a bridge without one takes its lowest port's, and neighbours would have to learn it
    /// again with each machine.
    ///
    /// The first byte marks it as locally administered.
    var bridgeHardwareAddress: String {
        let digits = Array(Self.digest("bridge", clusterName).prefix(10))
        return (["02"] + stride(from: 0, to: 10, by: 2).map { String(digits[$0...($0 + 1)]) }).joined(separator: ":")
    }
    /// The comment by which the packet filter's rules are found again.
    var tag: String { "kopslite-" + id }
    /// What the names of all the cluster's control groups begin with.
    var controlGroupPrefix: String { "kopslite-\(id)-" }

    /// A machine's name for systemd-nspawn: at most 12 characters, so that its `vb-` interface is not shortened.
    func container(_ address: IPv4Address) -> String { "\(id)-\(address.value & 0xFF)" }
    /// A machine's control group, in every hierarchy.
    func controlGroup(_ address: IPv4Address) -> String { controlGroupPrefix + "\(address.value & 0xFF)" }
    /// A machine's `/etc/machine-id` (machine-id(5)): new for each instance, the same at each of its boots.
    func machineID(instanceID: String) -> String { String(Self.digest("machine", clusterName, instanceID).prefix(32)) }

    /// Checks a machine's name, which is also its host name (hostname(7)).
    static func check(machine name: String) throws {
        try check(name, "machine name", maximum: 63, allowed: "abcdefghijklmnopqrstuvwxyz0123456789-")
    }

    /// Checks a volume's name.
    static func check(volume name: String) throws {
        try check(name, "volume name", maximum: 128, allowed: "abcdefghijklmnopqrstuvwxyz0123456789-.")
    }

    private static func check(_ name: String, _ what: String, maximum: Int, allowed: String) throws {
        let letters = CharacterSet(allowed)
        guard let first = name.first, let last = name.last, name.utf8.count <= maximum,
            name.allSatisfy(letters.contains),
            first != "-", first != ".", last != "-", last != "."
        else {
            throw Failure(
                .permanent,
                code: "bad-name",
                "\(what) \"\(name.printable)\" cannot be used by the local cloud",
                hint: "use 1 to \(maximum) of a-z, 0-9 and -, with a letter or digit at both ends"
            )
        }
    }

    private typealias CharacterSet = Set<Character>

    private static func digest(_ parts: String...) -> String {
        // NUL cannot be in a part, so different parts never give the same text.
        let text = (["kopslite local"] + parts).joined(separator: "\0")
        return SHA256.hash(data: Array(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}

extension String {
    /// The text without control characters, shortened, for messages.
    var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.prefix(80).map { $0.value < 0x20 ? "\u{FFFD}" : $0 }))
    }
}
