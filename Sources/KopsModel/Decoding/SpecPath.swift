// SPDX-License-Identifier: Apache-2.0

/// Where something stands in a document, such as `spec.subnets[0].zone`.
public struct SpecPath: Sendable, Hashable, CustomStringConvertible {
    /// One step from the top of the document.
    public enum Part: Sendable, Hashable {
        /// Into a member of an object.
        case key(String)
        /// Into an element of an array; counts from 0.
        case index(Int)
    }

    /// The steps from the top of the document.
    public let parts: [Part]

    /// Makes a path from its steps; none means the document itself.
    public init(_ parts: [Part] = []) { self.parts = parts }

    /// Makes the path of nested members, such as `SpecPath("spec", "subnets")`.
    public init(_ names: String...) { self.parts = names.map(Part.key) }

    /// The path of a member of what stands here.
    public func key(_ name: String) -> Self { Self(parts + [.key(name)]) }
    /// The path of an element of what stands here.
    public func index(_ number: Int) -> Self { Self(parts + [.index(number)]) }

    /// The path as text; a name that holds a dot stands in brackets, `metadata.labels["a.b/c"]`.
    public var description: String {
        var text = ""
        for part in parts {
            switch part {
            case .index(let number): text += "[\(number)]"
            case .key(let name) where name.contains("."): text += "[\"\(name)\"]"
            case .key(let name): text += text.isEmpty ? name : ".\(name)"
            }
        }
        return text
    }
}
