// SPDX-License-Identifier: Apache-2.0

extension EtcdMachine {
    /// What is wrong with the file by itself, in the order of its fields.
    var problems: [SpecProblem] {
        nameProblems + memberProblems + urlProblems + programProblems + volumeProblems + certificateProblems
            + backupProblems
    }

    private var nameProblems: [SpecProblem] {
        var problems: [SpecProblem] = []
        if !DNSName.isClusterName(cluster) {
            problems.append(
                SpecProblem(
                    SpecPath("cluster"),
                    "\"\(cluster)\" is no DNS name with a dot",
                    remedy: "db.example.com is"
                )
            )
        }
        // `etcd-<name>` is also a file system's label, of 16 bytes at the most.
        if !DNSName.isLabel(name) || name.utf8.count > 11 {
            let message = "\"\(name)\" is no DNS label of 1 to 11 characters"
            problems.append(SpecProblem(SpecPath("name"), message, remedy: "write such as main"))
        }
        if own == nil {
            let names = members.map(\.name).joined(separator: ", ")
            problems.append(
                SpecProblem(
                    SpecPath("member"),
                    "\"\(member)\" is not among the members \(names)",
                    remedy: "keep its entry with \"ensure\": \"absent\" until it is out"
                )
            )
        }
        if let machine, !DNSName.isSubdomain(machine) {
            problems.append(
                SpecProblem(SpecPath("machine"), "\"\(machine)\" is no DNS name", remedy: "write such as db-1")
            )
        }
        if store.isEmpty {
            problems.append(
                SpecProblem(SpecPath("store"), "is empty", remedy: "write file:///dir or s3://bucket/prefix")
            )
        }
        return problems
    }

    private var memberProblems: [SpecProblem] {
        let path = SpecPath("members")
        var problems: [SpecProblem] = []
        if !EtcdQuorum.sizes.contains(declared.count) {
            problems.append(SpecProblem(path, "has \(declared.count) members", remedy: EtcdQuorum.remedy))
        }
        for (number, member) in members.enumerated() {
            let here = path.index(number).key("name")
            if !DNSName.isLabel(member.name) {
                problems.append(SpecProblem(here, "\"\(member.name)\" is no DNS label", remedy: "write such as a"))
            } else if members[..<number].contains(where: { $0.name == member.name }) {
                problems.append(SpecProblem(here, "\"\(member.name)\" is used twice", remedy: "give each its own"))
            }
        }
        return problems
    }

    private var urlProblems: [SpecProblem] {
        var problems: [SpecProblem] = []
        var seen: [EtcdURL: String] = [:]
        for (number, member) in members.enumerated() {
            for (field, text) in [("peerURL", member.peerURL), ("clientURL", member.clientURL)] {
                let path = SpecPath("members").index(number).key(field)
                guard let url = EtcdURL(text) else {
                    let message = "\"\(text)\" is not \(EtcdURL.shape)"
                    problems.append(SpecProblem(path, message, remedy: "write such as https://10.0.0.1:2380"))
                    continue
                }
                if let problem = schemeProblem(url, at: path) { problems.append(problem) }
                if let other = seen.updateValue("\(path)", forKey: url) {
                    problems.append(SpecProblem(path, "\(url) is \(other) already", remedy: "give it another port"))
                }
            }
        }
        return problems
    }

    private func schemeProblem(_ url: EtcdURL, at path: SpecPath) -> SpecProblem? {
        switch (url.isSecure, certificates) {
        case (true, nil):
            return SpecProblem(path, "\(url) needs certificates", remedy: "name them in certificates")
        case (false, .some):
            return SpecProblem(path, "\(url) would not use the certificates", remedy: "write https")
        case (false, nil) where !url.isLoopback:
            return SpecProblem(
                path,
                "\(url) would let the whole network read and write without being asked who it is",
                remedy: "name certificates and write https; plain HTTP is for 127.0.0.1, [::1] and localhost"
            )
        default: return nil
        }
    }

    private var programProblems: [SpecProblem] {
        let path = SpecPath("etcd")
        var problems: [SpecProblem] = []
        if EtcdVersion(etcd.version)?.isSupported != true {
            problems.append(
                SpecProblem(
                    path.key("version"),
                    "etcd \(etcd.version) is not supported",
                    remedy: "write a release from 3.4 on, such as \(Cluster.standardEtcdVersion)"
                )
            )
        }
        return problems + Self.pathProblems(etcd.directory, at: path.key("directory"))
    }

    private var volumeProblems: [SpecProblem] {
        let path = SpecPath("volume")
        switch (volume.directory, volume.label) {
        case (let directory?, nil): return Self.pathProblems(directory, at: path.key("directory"))
        case (nil, let label?):
            return label.isEmpty
                ? [SpecProblem(path.key("label"), "is empty", remedy: "write such as k8s.io/etcd/main")] : []
        default:
            return [SpecProblem(path, "needs either directory or label", remedy: "write one of them, and not both")]
        }
    }

    private var certificateProblems: [SpecProblem] {
        (certificates?.files ?? []).flatMap { Self.pathProblems($0.path, at: SpecPath("certificates", $0.field)) }
    }

    private var backupProblems: [SpecProblem] {
        backups.numbers.compactMap { field, least, value in
            guard let value, value < least else { return nil }
            return SpecProblem(SpecPath("backups", field), "is \(value)", remedy: "write \(least) or more")
        }
    }

    /// No blank nor quote, for paths also go into units and command lines.
    private static func pathProblems(_ path: String, at place: SpecPath) -> [SpecProblem] {
        let isPlain = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && ![0x22, 0x24, 0x25, 0x27, 0x5C].contains($0) }
        guard path.hasPrefix("/"), path.utf8.count > 1, isPlain, !path.split(separator: "/").contains("..") else {
            return [
                SpecProblem(
                    place,
                    "\"\(path)\" is no absolute path without blanks, quotes and ..",
                    remedy: "write such as /srv/etcd"
                )
            ]
        }
        return []
    }
}
