// SPDX-License-Identifier: Apache-2.0

/// An object of a specification.
///
/// One list of its fields serves reading and writing, so the two cannot differ.
protocol SpecObject: SpecValue {
    /// The object without any field set.
    init()
    /// Names every field once, those that are refused included.
    mutating func walk(_ fields: inout FieldWalker)
}

extension SpecObject {
    static var shape: String { "a map" }

    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        guard case .object(let members) = value else {
            problems.append(SpecProblem(path, "must be a map, found \(value.shape)"))
            return nil
        }
        var fields = FieldWalker(reading: members, at: path)
        var result = Self()
        result.walk(&fields)
        fields.refuseTheRest()
        problems += fields.problems
        return fields.problems.isEmpty ? result : nil
    }

    var encoded: JSONValue {
        var fields = FieldWalker()
        var copy = self
        copy.walk(&fields)
        return .object(fields.members)
    }
}

/// Goes through the fields of an object, either out of a document or into one.
///
/// A `null` counts as absent, as it does in Kubernetes.
struct FieldWalker {
    private let isReading: Bool
    private let path: SpecPath
    private var known: [String] = []
    /// When reading, what no field has claimed yet; when writing, what the document will hold.
    private(set) var members: [String: JSONValue]
    private(set) var problems: [SpecProblem] = []

    init() {
        self.isReading = false
        self.path = SpecPath()
        self.members = [:]
    }

    init(reading members: [String: JSONValue], at path: SpecPath) {
        self.isReading = true
        self.path = path
        self.members = members.filter { $0.value != .null }
    }

    /// A field that may be absent.
    mutating func field<Value: SpecValue>(_ name: String, _ value: inout Value?) {
        if isReading {
            value = claim(name)
        } else {
            members[name] = value?.encoded
        }
    }

    /// A field that must be there.
    mutating func required<Value: SpecValue>(_ name: String, _ value: inout Value, remedy: String? = nil) {
        guard isReading else {
            members[name] = value.encoded
            return
        }
        if members[name] == nil {
            known.append(name)
            problems.append(SpecProblem(path.key(name), "is missing", remedy: remedy))
        } else if let found: Value = claim(name) {
            value = found
        }
    }

    /// A list for which absent and empty are the same.
    mutating func field<Element: SpecValue>(_ name: String, _ value: inout [Element]) {
        var optional: [Element]? = value.isEmpty ? nil : value
        field(name, &optional)
        value = optional ?? []
    }

    /// A map for which absent and empty are the same.
    mutating func field<Element: SpecValue>(_ name: String, _ value: inout [String: Element]) {
        var optional: [String: Element]? = value.isEmpty ? nil : value
        field(name, &optional)
        value = optional ?? [:]
    }

    /// Flags of a component, checked against its table.
    mutating func flags(_ name: String, of component: Component, _ value: inout [String: FlagValue]) {
        if !isReading {
            if !value.isEmpty { members[name] = .object(value.mapValues(\.encoded)) }
            return
        }
        known.append(name)
        guard let found = members.removeValue(forKey: name) else { return }
        value = FlagTable.read(found, of: component, at: path.key(name), into: &problems)
    }

    /// A field that must hold one given value if it is there, for what a specification may state but not change.
    ///
    /// - Note: It is written only where `written` says so, for the fields kops always shows.
    mutating func fixed(_ name: String, _ value: JSONValue, written: Bool = false) {
        guard isReading else {
            // Not `written ? value : nil`: a nil literal can be a JSON null too.
            if written { members[name] = value }
            return
        }
        known.append(name)
        guard let found = members.removeValue(forKey: name), found != value else { return }
        problems.append(SpecProblem(path.key(name), "must be \(value.text), found \(found.shape)"))
    }

    /// Fields that kops has and that are not supported here.
    mutating func refuse(_ names: [String], remedy: String) {
        guard isReading else { return }
        for name in names where members.removeValue(forKey: name) != nil {
            problems.append(SpecProblem(path.key(name), "is not supported", remedy: remedy))
        }
    }

    /// Complains about everything that no field has claimed.
    mutating func refuseTheRest() {
        for name in members.keys.sorted() {
            let near = Spelling.nearest(to: name, in: known)
            problems.append(
                SpecProblem(
                    path.key(name),
                    "is no field that kopslite knows",
                    remedy: near.map { "did you mean \($0)?" } ?? "remove it"
                )
            )
        }
    }

    private mutating func claim<Value: SpecValue>(_ name: String) -> Value? {
        known.append(name)
        guard let found = members.removeValue(forKey: name) else { return nil }
        return Value.decoded(from: found, at: path.key(name), into: &problems)
    }
}

extension JSONValue {
    /// A scalar as a person writes it.
    fileprivate var text: String {
        switch self {
        case .string(let text): "\"\(text)\""
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): "\(number)"
        default: shape
        }
    }
}
