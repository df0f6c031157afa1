// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Testing

@testable import KopsLite

@Suite("Files of declarations")
struct FileTests {
    static let good = """
        apiVersion: kops.k8s.io/v1alpha2
        kind: Cluster
        metadata:
          creationTimestamp: null
          name: demo.example.com
        spec:
          cloudProvider: local
          kubernetesVersion: 1.20.2
          networking:
            kubenet: {}
          subnets:
          - name: local-a
            type: Public
            zone: local-a

        ---

        apiVersion: kops.k8s.io/v1alpha2
        kind: InstanceGroup
        metadata:
          labels:
            kops.k8s.io/cluster: demo.example.com
          name: control-plane-local-a
        spec:
          maxSize: 1
          minSize: 1
          role: Master
          subnets:
          - local-a

        ---

        apiVersion: kops.k8s.io/v1alpha2
        kind: InstanceGroup
        metadata:
          labels:
            kops.k8s.io/cluster: demo.example.com
          name: nodes
        spec:
          maxSize: 2
          minSize: 1
          role: Node
          subnets:
          - local-a

        """

    struct Case: Sendable, CustomTestStringConvertible {
        var replace: String
        var by: String
        var line: String
        var testDescription: String { line }
    }

    static let cases = [
        Case(
            replace: "    kubenet: {}",
            by: "    calico: {}",
            line: "demo.yaml:10: Cluster demo.example.com: spec.networking.calico: is not supported; supported: kubenet"
        ),
        Case(
            replace: "  cloudProvider: local",
            by: "  cloudProvider: local\n  cloudProvider: local",
            line: "demo.yaml:7: spec.cloudProvider: is given twice; keep one"
        ),
        Case(
            replace: "  maxSize: 2",
            by: "  maxSize: 2\n  flavour: big",
            line: "demo.yaml:41: InstanceGroup nodes: spec.flavour: is no field that kopslite knows; remove it"
        ),
        Case(
            replace: "    zone: local-a",
            by: "    zone: local-d",
            line:
                "demo.yaml:14: Cluster demo.example.com: spec.subnets[0].zone: the cloud local has no zone \"local-d\"; "
                + "did you mean local-a? zones: local-a, local-b, local-c"
        ),
        Case(
            replace: "kubernetesVersion: 1.20.2",
            by: "kubernetesVersion: 1.20",
            line: "demo.yaml:8: Cluster demo.example.com: spec.kubernetesVersion: must be text, found the number 1.2; "
                + "put it in quotes"
        ),
        Case(
            replace: "kind: Cluster",
            by: "kind: [",
            line: "demo.yaml:4: is no YAML: did not find expected ',' or ']'"
        ),
        Case(
            replace: "  name: nodes",
            by: "  name: control-plane-local-a",
            line: "demo.yaml:38: metadata.name: instancegroup/control-plane-local-a is declared twice; keep one"
        ),
        Case(
            replace: "  maxSize: 2\n  minSize: 1",
            by: "  maxSize: 2\n  minSize: 3",
            line: "demo.yaml:41: InstanceGroup nodes: spec.minSize: 3 is more than maxSize 2"
        ),
    ]

    @Test("what is wrong is said with file, line, path and remedy; nothing is written", arguments: cases)
    func refuses(_ test: Case) async {
        var bench = Bench()
        bench.files["demo.yaml"] = Self.good.replacing(test.replace, with: test.by)
        #expect(bench.files["demo.yaml"] != Self.good)
        let result = await bench.run("create -f demo.yaml")
        #expect(result.code == 1)
        #expect(result.notes == "error: \(test.line)\n")
        #expect(await bench.store.count == 0)
    }

    @Test("a specification of another cluster is refused")
    func otherCluster() async {
        var bench = Bench()
        bench.files["demo.yaml"] = Self.good
        let result = await bench.run("create -f demo.yaml --name other.example.com")
        #expect(
            result.notes
                == "error: demo.yaml:5: metadata.name: is demo.example.com, but the command names other.example.com\n"
        )
        bench.files["group.yaml"] = Self.good.split(separator: "---").last.map(String.init) ?? ""
        #expect(
            await bench.run("create -f group.yaml").notes
                == "error: group.yaml: there is no cluster demo.example.com in memory://store; declare the Cluster in the file too\n"
        )
        #expect(await bench.store.count == 0)
    }

    @Test("files that hold nothing, or what is no text, are refused", arguments: ["", "---\n---\n", "# nothing\n"])
    func empty(text: String) async {
        var bench = Bench()
        bench.files["demo.yaml"] = text
        #expect(await bench.run("create -f demo.yaml").notes.contains("demo.yaml: holds no object"))
    }

    @Test("aliases of aliases do not fill the memory")
    func aliases() async {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<9 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        var bench = Bench()
        bench.files["demo.yaml"] = text
        #expect(await bench.run("create -f demo.yaml").notes.contains("too large or too deep"))
    }

    @Test("replace changes what is there, refuses what is not, and says what is the same")
    func replace() async throws {
        var bench = Bench()
        bench.files["demo.yaml"] = Self.good
        #expect(await bench.run("replace -f demo.yaml").code == 1)
        #expect(await bench.run("create -f demo.yaml").code == 0)
        bench.files["demo.yaml"] = Self.good.replacing("maxSize: 2", with: "maxSize: 3")
        let result = await bench.run("replace -f demo.yaml")
        #expect(
            result.output
                == "Unchanged instancegroup/control-plane-local-a\nReplaced instancegroup/nodes\nUnchanged cluster/demo.example.com\n"
        )
        #expect(await bench.run("get ig --name demo.example.com").output.contains("nodes"))
    }

    @Test(
        "text that a reader could take for something else is quoted and comes back the same",
        arguments: [
            "1.20", "1", "true", "no", "y", "null", "~", "", " a ", "a: b", "a #b", "2024-01-02T03:04:05Z", "0x10",
            "1e3",
            "line\nline\n", "- a", "*a", "&a", "ä", "\"quoted\"", "it's", "@at", "<<", "=",
        ]
    )
    func quoting(text: String) throws {
        let value: JSONValue = [
            "key": .string(text), "list": [.string(text)], "empty": [:], "none": [], "nothing": .null,
        ]
        let yaml = try YamlText.document(value)
        #expect(try YamlDocument.all(in: yaml, file: "f").map(\.value) == [value], "\(yaml)")
    }
}
