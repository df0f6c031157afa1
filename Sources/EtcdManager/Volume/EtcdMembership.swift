// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// Which member of which members a volume belongs to, from the value of its label.
///
/// - Shape: `<this>/<all>,…`, such as `a/a,b,c`.
/// - Source: kops' volume tags `k8s.io/etcd/<cluster>`.
public struct EtcdMembership: Sendable, Equatable {
    /// This volume's member.
    public var member: String
    /// All members, in the label's order.
    public var members: [String]

    /// Reads a label's value; `volume` is what messages name.
    ///
    /// - Throws: ``Failure`` `volume-label-invalid` (permanent).
    public init(label value: String, of volume: String) throws {
        let halves = value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let members = halves.count == 2 ? halves[1].split(separator: ",", omittingEmptySubsequences: false) : []
        self.member = halves[0]
        self.members = members.map(String.init)
        guard !member.isEmpty, self.members.contains(member), Set(self.members).count == members.count,
            self.members.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isNameByte) })
        else {
            throw Failure(
                .permanent,
                code: "volume-label-invalid",
                "volume \(volume) is labelled \"\(value)\", which is not <member>/<member>,…",
                hint: "label it such as a/a, or a/a,b,c for three members"
            )
        }
    }

    /// Names go into command lines and units, so only what means nothing there is let in.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
    }
}
