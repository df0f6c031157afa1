// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import SystemPackage
import Testing

/// The tasks of a node and the add-ons of a cluster, as text.
///
/// `UPDATE_GOLDEN=1` rewrites the files and still fails, so that
/// a change is looked at before it is believed.
@Suite struct GoldenTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let version: String
        let runtime: ContainerRuntime
        let cgroupVersion: Int
        let isContainer: Bool
        var testDescription: String { "\(version) \(runtime)" }
    }

    static let cases = [
        Case(version: "1.20.2", runtime: .docker, cgroupVersion: 1, isContainer: true),
        Case(version: "1.24.17", runtime: .containerd, cgroupVersion: 2, isContainer: false),
        Case(version: "1.30.6", runtime: .containerd, cgroupVersion: 2, isContainer: false),
        Case(version: "1.36.4", runtime: .containerd, cgroupVersion: 1, isContainer: false),
    ]

    @Test(arguments: cases, InstanceRole.allCases)
    func tasksAreAsReviewed(item: Case, role: InstanceRole) throws {
        let inputs = Samples.inputs(
            item.version,
            role,
            item.runtime,
            cgroupVersion: item.cgroupVersion,
            isContainer: item.isContainer
        )
        let graph = try NodeTaskGraph(try NodeGraph.tasks(for: inputs))
        try compare(PlanText.render(graph), with: "\(item.version)-\(role.rawValue).txt")
    }

    /// What three control-plane machines change: all else is as on the only one.
    @Test(arguments: cases, InstanceRole.allCases)
    func threeControlPlanesDifferAsReviewed(item: Case, role: InstanceRole) throws {
        let inputs = Samples.inputs(item.version, role, item.runtime, cgroupVersion: item.cgroupVersion)
        let text = PlanText.difference(
            from: try NodeTaskGraph(try NodeGraph.tasks(for: inputs)),
            to: try NodeTaskGraph(try NodeGraph.tasks(for: Samples.ofThree(inputs)))
        )
        try compare(text, with: "three-\(role.rawValue).txt")
    }

    @Test(arguments: cases)
    func addonsAreAsReviewed(item: Case) throws {
        let addons = try AddonSet.manifests(for: Samples.config(item.version, .controlPlane, item.runtime))
        let text = try addons.map { name, objects in
            try "# \(name)\n" + objects.map { String(decoding: try $0.encoded(), as: UTF8.self) }.joined()
        }.joined(separator: "\n")
        try compare(text, with: "\(item.version)-addons.txt")
    }

    private func compare(_ text: String, with name: String) throws {
        let path = FilePath(#filePath).removingLastComponent().appending("Golden").appending(name)
        let expected = try? String(contentsOfFile: path.string, encoding: .utf8)
        guard expected != text else { return }
        guard ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" else {
            let difference = firstDifference(expected ?? "", text)
            Issue.record("\(name) differs from the golden file at line \(difference); UPDATE_GOLDEN=1 rewrites it")
            return
        }
        try text.write(toFile: path.string, atomically: true, encoding: .utf8)
        Issue.record("rewrote \(name); review it and run again without UPDATE_GOLDEN")
    }

    private func firstDifference(_ old: String, _ new: String) -> String {
        let (old, new) = (
            old.split(separator: "\n", omittingEmptySubsequences: false),
            new.split(separator: "\n", omittingEmptySubsequences: false)
        )
        let line = zip(old, new).prefix { $0 == $1 }.count
        return "\(line + 1): '\(line < old.count ? old[line] : "")' became '\(line < new.count ? new[line] : "")'"
    }
}
