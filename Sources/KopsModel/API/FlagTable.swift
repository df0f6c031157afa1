// SPDX-License-Identifier: Apache-2.0

/// A program of Kubernetes whose flags a specification may set.
public enum Component: String, Sendable, CaseIterable {
    /// On every machine.
    case kubelet
    /// On every machine.
    case proxy = "kube-proxy"
    /// On the control plane.
    case apiServer = "kube-apiserver"
    /// On the control plane.
    case controllerManager = "kube-controller-manager"
    /// On the control plane.
    case scheduler = "kube-scheduler"
}

/// The value of a flag as a specification states it.
public enum FlagValue: Sendable, Hashable {
    case bool(Bool)
    case int(Int)
    case text(String)
    case list([String])
    case map([String: String])

    /// The value as it stands behind `--name=`.
    ///
    /// - Source: kops `pkg/flagbuilder`: lists joined by commas, maps as `k=v` sorted by key.
    public var argument: String {
        switch self {
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .text(let text): text
        case .list(let elements): elements.joined(separator: ",")
        case .map(let members):
            members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        }
    }

    var encoded: JSONValue {
        switch self {
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .text(let text): .string(text)
        case .list(let elements): elements.encoded
        case .map(let members): members.encoded
        }
    }
}

/// Which fields of a component are supported, and the flag each one sets.
///
/// - Source: kops `pkg/apis/kops/componentconfig.go`; only flags that exist in every supported release are here.
public struct FlagTable: Sendable {
    /// The kind of value a flag takes.
    public enum Kind: Sendable {
        case bool
        case int
        case text
        case list
        case map
    }

    /// A field's flag.
    public struct Entry: Sendable {
        /// The flag's name without dashes, such as `max-pods`.
        public let flag: String
        /// The kind of its value.
        public let kind: Kind
    }

    /// The flags by field name.
    public let entries: [String: Entry]
    /// Fields kops has whose value the cluster decides, with where to state it instead.
    public let decided: [String: String]

    /// The flag values by flag name without dashes.
    public func arguments(_ fields: [String: FlagValue]) -> [String: String] {
        var result: [String: String] = [:]
        for (name, value) in fields {
            guard let entry = entries[name] else { continue }
            result[entry.flag] = value.argument
        }
        return result
    }

    static func read(
        _ value: JSONValue,
        of component: Component,
        at path: SpecPath,
        into problems: inout [SpecProblem]
    ) -> [String: FlagValue] {
        guard case .object(let members) = value else {
            problems.append(SpecProblem(path, "must be a map, found \(value.shape)"))
            return [:]
        }
        let table = of(component)
        var result: [String: FlagValue] = [:]
        for (name, member) in members.sorted(by: { $0.key < $1.key }) where member != .null {
            result[name] = table.read(name, member, of: component, at: path.key(name), into: &problems)
        }
        return result
    }

    private func read(
        _ name: String,
        _ value: JSONValue,
        of component: Component,
        at path: SpecPath,
        into problems: inout [SpecProblem]
    ) -> FlagValue? {
        guard let entry = entries[name] else {
            problems.append(refusal(of: name, component, at: path))
            return nil
        }
        switch entry.kind {
        case .bool: return Bool.decoded(from: value, at: path, into: &problems).map(FlagValue.bool)
        case .int: return Int.decoded(from: value, at: path, into: &problems).map(FlagValue.int)
        case .text: return String.decoded(from: value, at: path, into: &problems).map(FlagValue.text)
        case .list: return [String].decoded(from: value, at: path, into: &problems).map(FlagValue.list)
        case .map: return [String: String].decoded(from: value, at: path, into: &problems).map(FlagValue.map)
        }
    }

    private func refusal(of name: String, _ component: Component, at path: SpecPath) -> SpecProblem {
        if let remedy = decided[name] { return SpecProblem(path, "is not supported", remedy: remedy) }
        let remedy =
            Spelling.nearest(to: name, in: entries.keys.sorted()).map { "did you mean \($0)?" }
            ?? "supported: \(entries.keys.sorted().joined(separator: ", "))"
        return SpecProblem(path, "is not supported as a setting of \(component.rawValue)", remedy: remedy)
    }
}
