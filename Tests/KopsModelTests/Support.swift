// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import Testing

/// Compares a text with a file beside the tests; `UPDATE_GOLDEN=1` rewrites the file, and the run fails still.
func expectGolden(_ text: String, _ name: String, source: SourceLocation = #_sourceLocation) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden").appendingPathComponent(name)
    let found = (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) }
    if found != text, ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: file)
    }
    #expect(text == found, "\(name) differs", sourceLocation: source)
}

/// A small cluster that is valid, to be changed by each test.
enum Sample {
    static let cluster: JSONValue = [
        "apiVersion": "kops.k8s.io/v1alpha2", "kind": "Cluster", "metadata": ["name": "demo.example.com"],
        "spec": [
            "cloudProvider": "local", "kubernetesVersion": "1.20.2",
            "subnets": [["name": "local-a", "zone": "local-a"], ["name": "local-b", "zone": "local-b"]],
        ],
    ]

    static func group(_ name: String, role: String, min: Int, max: Int, subnets: [String] = ["local-a"]) -> JSONValue {
        [
            "apiVersion": "kops.k8s.io/v1alpha2", "kind": "InstanceGroup",
            "metadata": ["name": .string(name), "labels": ["kops.k8s.io/cluster": "demo.example.com"]],
            "spec": [
                "role": .string(role), "minSize": .int(min), "maxSize": .int(max),
                "subnets": .array(subnets.map(JSONValue.string)),
            ],
        ]
    }

    static var groups: [JSONValue] {
        [
            group("control-plane-local-a", role: "ControlPlane", min: 1, max: 1),
            group("nodes", role: "Node", min: 3, max: 3, subnets: ["local-a", "local-b"]),
        ]
    }

    static func changed(_ document: JSONValue, _ path: [String], to value: JSONValue?) -> JSONValue {
        guard let name = path.first else { return value ?? .null }
        var copy = document
        let rest = Array(path.dropFirst())
        copy[name] = rest.isEmpty ? value : changed(document[name] ?? [:], rest, to: value)
        return copy
    }
}

/// The problems of a document, one line each; empty when it is understood.
func problems(of document: JSONValue) -> [String] {
    do {
        _ = try APIObject(document: document)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}
