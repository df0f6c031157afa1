// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// The packet filter's rules for a cluster: masquerading for what leaves it, and leave to pass.
///
/// All carry the cluster's tag, so that a deletion finds just them. What goes from machine to machine stays on the
/// bridge: where br_netfilter shows such packets to the packet filter, they come in and leave by the bridge, so the first
/// filter rule lets them pass whatever the policy of FORWARD is, and the masquerading rule does not match them; pod
/// networks keep their addresses.
enum LocalFirewall: Sendable, Equatable {
    case iptables
    /// Only where iptables is missing: a rule here cannot overrule another table's decision to drop.
    case nft

    /// What the host has.
    ///
    /// - Throws: ``Failure`` `tool-missing`.
    static func ofHost() throws -> LocalFirewall {
        if LocalCommand.isInstalled("iptables") { return .iptables }
        if LocalCommand.isInstalled("nft") { return .nft }
        try LocalCommand.require("iptables")
        return .iptables
    }

    /// One rule of iptables(8).
    struct Rule: Sendable, Equatable {
        var table: String
        var chain: String
        var specification: [String]

        /// Rules of `filter` come first, before any that drops.
        var addition: LocalCommand {
            LocalCommand(["iptables", "-w", "-t", table, table == "filter" ? "-I" : "-A", chain] + specification)
        }
        var check: LocalCommand { LocalCommand(["iptables", "-w", "-t", table, "-C", chain] + specification) }
    }

    static func rules(_ names: LocalNames, _ subnet: IPv4Subnet) -> [Rule] {
        let comment = ["-m", "comment", "--comment", names.tag]
        let answers = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
        return [
            Rule(
                table: "nat",
                chain: "POSTROUTING",
                specification: ["-s", subnet.description, "!", "-o", names.bridge] + comment + ["-j", "MASQUERADE"]
            ),
            Rule(table: "filter", chain: "FORWARD", specification: ["-i", names.bridge] + comment + ["-j", "ACCEPT"]),
            Rule(
                table: "filter",
                chain: "FORWARD",
                specification: ["-o", names.bridge] + answers + comment + ["-j", "ACCEPT"]
            ),
        ]
    }

    private static func nftTable(_ names: LocalNames) -> String { "kopslite_" + names.id }

    /// Whether all rules are there.
    func isComplete(_ names: LocalNames, _ subnet: IPv4Subnet) async throws -> Bool {
        switch self {
        case .iptables:
            for rule in Self.rules(names, subnet) where try await rule.check.execute().status != 0 { return false }
            return true
        case .nft:
            return try await LocalCommand("nft", "list", "table", "ip", Self.nftTable(names)).execute().status == 0
        }
    }

    /// Adds what is missing.
    func complete(_ names: LocalNames, _ subnet: IPv4Subnet) async throws {
        switch self {
        case .iptables:
            for rule in Self.rules(names, subnet) where try await rule.check.execute().status != 0 {
                try await rule.addition.run()
            }
        case .nft:
            let chain = "add chain ip \(Self.nftTable(names)) out { type nat hook postrouting priority 100 ; }"
            let rule = "ip saddr \(subnet) oifname != \"\(names.bridge)\" masquerade comment \"\(names.tag)\""
            try await LocalCommand(
                "nft",
                "add table ip \(Self.nftTable(names)) ; \(chain) ; add rule ip \(Self.nftTable(names)) out \(rule)"
            ).run()
        }
    }

    /// Removes every rule with the cluster's tag, however many there are.
    ///
    /// - Returns: Whether there was one.
    func remove(_ names: LocalNames) async throws -> Bool {
        switch self {
        case .iptables:
            var found = false
            for table in ["nat", "filter"] {
                let listing = try await LocalCommand("iptables", "-w", "-t", table, "-S").run()
                for deletion in Self.deletions(of: names.tag, in: listing, table: table) {
                    try await deletion.run()
                    found = true
                }
            }
            return found
        case .nft:
            let table = ["table", "ip", Self.nftTable(names)]
            guard try await LocalCommand(["nft", "list"] + table).execute().status == 0 else { return false }
            try await LocalCommand(["nft", "delete"] + table).run()
            return true
        }
    }

    /// The commands that delete what `iptables -S` lists with a tag.
    static func deletions(of tag: String, in listing: String, table: String) -> [LocalCommand] {
        listing.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map { $0.filter { $0 != "\"" } }
            guard words.first == "-A", let place = words.firstIndex(of: "--comment"),
                words.dropFirst(place + 1).first == tag
            else { return nil }
            return LocalCommand(["iptables", "-w", "-t", table, "-D"] + words.dropFirst())
        }
    }
}
