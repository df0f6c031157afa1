// SPDX-License-Identifier: Apache-2.0
import Foundation
import Yams

/// kubectl's configuration, of which only the entries of one cluster are touched.
struct Kubeconfig {
    private var root: Node

    /// Reads a configuration; an empty text is an empty configuration.
    ///
    /// - Throws: ``CommandFailure`` when the text is no map.
    init(text: String, file: String) throws {
        do {
            let nodes = try YamlDocument.nodes(in: text)
            guard nodes.count <= 1 else { throw Self.damaged(file) }
            root = nodes.first ?? Self.empty
        } catch let error as YamlError {
            throw YamlComplaint(file: file, text: text).failure(for: error)
        }
        if root.tag == Tag(.null) { root = Self.empty }
        guard case .mapping(let mapping) = root else { throw Self.damaged(file) }
        for list in ["clusters", "contexts", "users"] {
            guard let node = mapping[list], node.tag != Tag(.null) else { continue }
            guard case .sequence = node else { throw Self.damaged(file) }
        }
    }

    private static var empty: Node { .mapping(Node.Mapping([], Tag(.map))) }

    private static func damaged(_ file: String) -> CommandFailure {
        CommandFailure("\(file) is no kubeconfig", remedy: "move it away, or pass --kubeconfig FILE")
    }

    /// Sets cluster, context and user of a name, and makes the context current.
    mutating func set(_ credentials: AdminCredentials, as name: String) {
        var cluster: [(Node, Node)] = [
            (Node("certificate-authority-data"), Self.data(credentials.authorities)),
            (Node("server"), YamlText.scalar(credentials.server)),
        ]
        if let serverName = credentials.serverName {
            cluster.append((Node("tls-server-name"), YamlText.scalar(serverName)))
        }
        if root["apiVersion"] == nil { root["apiVersion"] = Node("v1") }
        if root["kind"] == nil { root["kind"] = Node("Config") }
        replace("clusters", name, with: ("cluster", Node(cluster)))
        replace(
            "contexts",
            name,
            with: ("context", Node([(Node("cluster"), YamlText.scalar(name)), (Node("user"), YamlText.scalar(name))]))
        )
        replace(
            "users",
            name,
            with: (
                "user",
                Node([
                    (Node("client-certificate-data"), Self.data(credentials.certificate)),
                    (Node("client-key-data"), Self.data(credentials.privateKey)),
                ])
            )
        )
        root["current-context"] = YamlText.scalar(name)
    }

    /// Removes cluster, context and user of a name; the current context too, when it is that one.
    mutating func remove(_ name: String) {
        for list in ["clusters", "contexts", "users"] {
            guard let entries = root[list]?.sequence, entries.contains(where: { Self.name(of: $0) == name }) else {
                continue
            }
            root[list] = Node(entries.filter { Self.name(of: $0) != name }, Tag(.seq), .any)
        }
        if root["current-context"]?.scalar?.string == name {
            root["current-context"] = Node("", Tag(.str), .doubleQuoted)
        }
    }

    /// The configuration as YAML.
    func text() throws -> String { try YamlText.text(of: root) }

    private mutating func replace(_ list: String, _ name: String, with value: (String, Node)) {
        let entry = Node([(Node("name"), YamlText.scalar(name)), (Node(value.0), value.1)])
        var entries = root[list]?.sequence.map(Array.init) ?? []
        if let index = entries.firstIndex(where: { Self.name(of: $0) == name }) {
            entries[index] = entry
        } else {
            entries.append(entry)
        }
        root[list] = Node(entries, Tag(.seq), .block)
    }

    private static func name(of entry: Node) -> String? { entry["name"]?.scalar?.string }

    private static func data(_ pem: String) -> Node { YamlText.scalar(Data(pem.utf8).base64EncodedString()) }
}
