// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import Testing

@testable import NodeBuilders

@Suite struct RenderTests {
    @Test(
        "systemd reads back what was quoted",
        arguments: [
            "plain", "", "a b", "100%", "$HOME", "\"quoted\"", "back\\slash", "line\nbreak", "it's", "a;b", "é=ü",
        ]
    )
    func quotingIsUndoneBySystemdsRules(argument: String) {
        #expect(unquoted(UnitText.quoted(argument)) == argument)
    }

    /// systemd's own rules (systemd.service(5), "Command lines"): specifiers, variables, then quotes and escapes.
    private func unquoted(_ text: String) -> String {
        var inner =
            text.hasPrefix("\"") && text.hasSuffix("\"") && text.count > 1 ? String(text.dropFirst().dropLast()) : text
        for (escaped, plain) in [("%%", "%"), ("$$", "$")] {
            inner = inner.split(separator: escaped, omittingEmptySubsequences: false).joined(separator: plain)
        }
        var result = ""
        var characters = inner.makeIterator()
        while let character = characters.next() {
            guard character == "\\" else {
                result.append(character)
                continue
            }
            switch characters.next() {
            case "n": result.append("\n")
            case let next?: result.append(next)
            case nil: Issue.record("ends in a lone backslash: \(text)")
            }
        }
        return result
    }

    @Test func flagsAreSortedAndOverridden() {
        let flags: FlagList = ["b": "1", "a": "2"]
        #expect(flags.arguments == ["--a=2", "--b=1"])
        #expect(flags.overridden(by: ["b": "3", "c": "4"]).arguments == ["--a=2", "--b=3", "--c=4"])
        #expect(flags.overridden(by: nil) == flags)
    }

    @Test func kubeletNeverClaimsLabelsItMayNotSet() {
        let labels = [
            "plain": "1", "example.com/pool": "2", "node.kubernetes.io/zone": "3", "sub.node.kubernetes.io/x": "4",
            "topology.kubernetes.io/zone": "5", "node-role.kubernetes.io/node": "",
            "kops.k8s.io/instancegroup": "nodes",
            "k8s.io/x": "6", "kubernetes.io/role": "node", "notkubernetes.io/x": "7",
            "node-restriction.kubernetes.io/x": "8",
        ]
        let divided = KubeletLabels(labels)
        #expect(divided.own.merging(divided.withheld) { $1 } == labels)
        #expect(
            Set(divided.withheld.keys) == [
                "node-role.kubernetes.io/node", "kops.k8s.io/instancegroup", "k8s.io/x", "kubernetes.io/role",
                "node-restriction.kubernetes.io/x",
            ]
        )
    }

    @Test(arguments: ["", ":", "key", "key:Sometimes", "=v:NoSchedule", "a:b:NoSchedule"])
    func badTaintsAreRefused(taint: String) {
        var inputs = Samples.inputs("1.30.0", .node)
        inputs.config.taints = [taint]
        #expect(code { try NodeGraph.tasks(for: inputs) } == "taint-invalid")
    }

    @Test func taintsKeepTheirParts() throws {
        var inputs = Samples.inputs("1.30.0", .node)
        inputs.config.taints = ["dedicated=gpu:NoExecute", "bare:NoSchedule", "empty=:PreferNoSchedule"]
        let document = try KubeletConfiguration(NodeContext(inputs)).document
        let expected: JSONValue = [
            ["key": "dedicated", "value": "gpu", "effect": "NoExecute"], ["key": "bare", "effect": "NoSchedule"],
            ["key": "empty", "effect": "PreferNoSchedule"],
        ]
        #expect(document["registerWithTaints"] == expected)
    }

    @Test func theAPIServerAnswersToEveryNameOnce() throws {
        var inputs = Samples.inputs("1.30.0", .controlPlane)
        inputs.config.controlPlane?.apiServerNames += ["localhost", "10.0.0.10", "fd00::1"]
        let names = APIServerBuilder.names(try NodeContext(inputs))
        #expect(Set(names.dns).count == names.dns.count && Set(names.addresses).count == names.addresses.count)
        #expect(
            names.dns.contains("kubernetes.default.svc.cluster.local") && names.dns.contains("api.demo.example.com")
        )
        #expect(names.addresses == ["100.64.0.1", "127.0.0.1", "10.0.0.10", "203.0.113.7", "fd00::1"])
    }
}
