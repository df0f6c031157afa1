// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore

/// Two people who changed one object: what each did to what both had seen.
struct Collision {
    private let object: APIObject
    private let base: JSONValue?
    private let theirs: JSONValue?

    /// Makes a collision from what both had seen, where it is known, and what is there now.
    init(of object: APIObject, base: [UInt8]?, theirs: [UInt8]?) {
        self.object = object
        self.base = base.flatMap { try? JSONValue(parsing: $0) }
        self.theirs = theirs.flatMap { try? JSONValue(parsing: $0) }
    }

    /// Looks for what both had seen among the generations, where only its digest is known.
    init(
        of object: APIObject,
        seen: String,
        theirs: [UInt8],
        at key: StoreKey,
        in repository: ClusterRepository
    ) async throws {
        let name = key.parts.dropFirst().joined(separator: "/")
        var base: [UInt8]?
        for generation in (try? await repository.generations(of: key.parts[0]).history()) ?? []
        where generation.manifest.objects[name]?.hasPrefix(seen) == true {
            base = try? await generation.object(named: name)
            break
        }
        self.init(of: object, base: base, theirs: theirs)
    }

    /// The message: nothing was written, what they did, what was to be done, and what to do now.
    var failure: CommandFailure {
        let reference = object.reference
        var lines = ["\(reference) was changed by somebody else meanwhile; your change was not written"]
        if theirs == nil { lines.append("they removed it") }
        if let base {
            lines += section("they changed:", from: base, to: theirs)
            lines += section("you changed:", from: base, to: object.document)
        } else {
            lines += section("from what is there now to yours:", from: theirs, to: object.document)
        }
        lines.append(
            "get it again, put your change into it and replace it; --force overwrites theirs"
        )
        return CommandFailure(lines: lines)
    }

    private func section(_ title: String, from old: JSONValue?, to new: JSONValue?) -> [String] {
        let difference = UpdatePlan.difference(from: text(old), to: text(new))
        return difference.isEmpty ? [] : [title] + difference.map { "    \($0)" }
    }

    private func text(_ value: JSONValue?) -> String { value.flatMap { try? YamlText.document($0) } ?? "" }
}

extension ObjectVersion {
    /// What a person sees of an object's state: enough of its digest.
    static func shown(of bytes: [UInt8]) -> String { String(ObjectVersion.digest(of: bytes).text.prefix(16)) }
}
