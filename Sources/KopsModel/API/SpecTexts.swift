// SPDX-License-Identifier: Apache-2.0

/// A role as kops' API spells it.
public struct SpecRole: Sendable, Equatable, CustomStringConvertible {
    /// What the machines do.
    public var role: InstanceRole

    /// Makes the spelling of a role.
    public init(_ role: InstanceRole) { self.role = role }

    /// Reads `ControlPlane`, `Master` or `Node`; `nil` for anything else.
    public init?(_ text: String) {
        switch text {
        case "ControlPlane", "Master": role = .controlPlane
        case "Node": role = .node
        default: return nil
        }
    }

    /// `ControlPlane` or `Node`.
    public var description: String { role == .controlPlane ? "ControlPlane" : "Node" }
}

extension SpecRole: SpecText {
    static var shape: String { "a role of machines: ControlPlane (or Master), Node" }

    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        guard let text = String.decoded(from: value, at: path, into: &problems) else { return nil }
        if let role = Self(text) { return role }
        let isKnown = ["APIServer", "Bastion"].contains(text)
        problems.append(
            SpecProblem(
                path,
                isKnown ? "the role \(text) is not supported" : "\"\(text)\" is not \(shape)",
                remedy: isKnown ? "use ControlPlane or Node" : nil
            )
        )
        return nil
    }
}

/// A container runtime as kops' API spells it.
public struct RuntimeName: Sendable, Equatable, CustomStringConvertible {
    /// The runtime.
    public var runtime: ContainerRuntime

    /// Makes the spelling of a runtime.
    public init(_ runtime: ContainerRuntime) { self.runtime = runtime }

    /// Reads `docker` or `containerd`; `nil` for anything else.
    public init?(_ text: String) {
        guard let runtime = ContainerRuntime(rawValue: text) else { return nil }
        self.runtime = runtime
    }

    /// `docker` or `containerd`.
    public var description: String { runtime.rawValue }
}

extension RuntimeName: SpecText {
    static var shape: String { "a container runtime: docker, containerd" }
}

/// A kernel setting, `key=value`, sysctl.conf(5).
public struct SysctlSetting: Sendable, Equatable, CustomStringConvertible {
    /// The key with dots, such as `vm.max_map_count`.
    public var key: String
    /// The value as written.
    public var value: String

    /// Reads `key=value`; `nil` without an equals sign or a key.
    public init?(_ text: String) {
        guard let split = text.firstIndex(of: "=") else { return nil }
        key = String(text[..<split].trimmed)
        value = String(text[text.index(after: split)...].trimmed)
        guard !key.isEmpty, !value.isEmpty, !key.contains(where: { $0 == " " || $0.isNewline }),
            !value.contains(where: \.isNewline)
        else { return nil }
    }

    /// `key=value`.
    public var description: String { "\(key)=\(value)" }
}

extension SysctlSetting: SpecText {
    static var shape: String { "a kernel setting such as vm.max_map_count=262144" }
}

extension Substring {
    /// Without blanks at either end.
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
