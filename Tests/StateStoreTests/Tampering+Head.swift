// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeTesting
import Testing

@testable import StateStore

extension Tampering {
    /// The same values in another form: JSON says the same in many ways, a head in one.
    static let headForms = [
        form("white space more") { text, random in
            let places = text.indices.filter { "{}[],".contains(text[$0]) }
            let place = try #require(places.randomElement(using: &random))
            text.insert(try #require(" \t\n\r".randomElement(using: &random)), at: place)
        },
        form("a line's end more") { text, _ in text += "\n" },
        form("a line's end less") { text, _ in text.removeLast() },
        form("lines of another system") { text, _ in text = text.replacing("\n", with: "\r\n") },
        form("no white space") { text, _ in text.removeAll { $0.isWhitespace } },
        form("a mark of its encoding") { text, _ in text = "\u{FEFF}" + text },
        form("an escape for a character") { text, random in
            let places = text.indices.filter { text[$0].isLetter || text[$0] == "/" }
            let place = try #require(places.randomElement(using: &random))
            let code = String(try #require(text[place].unicodeScalars.first).value, radix: 16)
            text.replaceSubrange(place...place, with: "\\u00\(code)")
        },
        form("a number in another form") { text, random in
            let form = ["3.0", "3e0", "30e-1", "0.3E1", "3.", "03", "+3", "\"3\""].randomElement(using: &random) ?? ""
            text = text.replacing("\"generation\" : 3", with: "\"generation\" : \(form)")
        },
        form("a member more") { text, random in
            let more = ["\"a\":0", "\"generation\" : 2", "\"generation\" : 3", "\"cluster\":\"a.example.com\""]
            text = text.replacing("{\n  \"cluster\"", with: "{\(more.randomElement(using: &random) ?? ""),\"cluster\"")
        },
        form("the members in another order") { text, _ in
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let generation = try #require(lines.firstIndex { $0.hasPrefix("  \"generation\"") })
            lines.insert(lines.remove(at: generation), at: 1)
            text = lines.joined(separator: "\n")
        },
        form("no format") { text, _ in text = text.replacing("\"format\" : 1", with: "\"formal\" : 1") },
        form("an older format") { text, _ in text = text.replacing("\"format\" : 1", with: "\"format\" : 0") },
        form("a newer format", ["generation-newer"]) { text, random in
            let format = Int.random(in: 2 ... .max, using: &random)
            text = text.replacing("\"format\" : 1", with: "\"format\" : \(format)")
        },
        Tampering("head: in sixteen bits", ["generation-head-unreadable"]) { store, scene, _, _ in
            let key = try scene.layout.head()
            store.objects[key] = store.objects[key]?.flatMap { [$0, 0] }
        },
    ]

    private static func form(
        _ name: String,
        _ codes: Set<String> = ["generation-head-unreadable"],
        _ change: @escaping @Sendable (inout String, inout Seeded) throws -> Void
    ) -> Tampering {
        Tampering("head: \(name)", codes) { store, scene, _, random in
            let key = try scene.layout.head()
            var text = String(decoding: try #require(store.objects[key]), as: UTF8.self)
            try change(&text, &random)
            store.objects[key] = Array(text.utf8)
        }
    }

    /// Heads in the right form whose signatures say something else, or nothing.
    static let signatures = [
        signed("no signature", ["generation-unsigned"]) { head, _, _ in head.signatures = [] },
        signed("unknown keys", ["generation-untrusted"]) { head, scene, _ in
            for place in head.signatures.indices { head.signatures[place].key = scene.untrusted.id }
        },
        signed("signed by a stranger", ["generation-untrusted"]) { head, scene, _ in
            head.signatures = [try head.signature(by: scene.untrusted)]
        },
        signed("signed by a stranger in a trusted key's name", ["generation-forged"]) { head, scene, _ in
            head.signatures = try scene.signers.map { try head.signature(by: scene.untrusted, as: $0.id) }
        },
        signed("signed by a key whose time is over", ["generation-key-expired"]) { head, scene, _ in
            head.generation += 1
            head.signatures = [try head.signature(by: scene.expired)]
        },
        signed("each signature under the other's name", ["generation-forged"]) { head, _, _ in
            (head.signatures[0].signature, head.signatures[1].signature) =
                (head.signatures[1].signature, head.signatures[0].signature)
        },
        signed("a bit of a signature flipped", ["generation-forged"]) { head, _, random in
            let place = Int.random(in: head.signatures.indices, using: &random)
            let byte = Int.random(in: 0..<64, using: &random)
            head.signatures[place].signature[byte] ^= 1 << UInt8.random(in: 0...7, using: &random)
        },
        signed("a signature of another length", ["generation-forged"]) { head, _, random in
            let place = Int.random(in: head.signatures.indices, using: &random)
            let count = [0, 1, 32, 63, 65, 128].randomElement(using: &random) ?? 0
            head.signatures[place].signature = Data((head.signatures[place].signature + Data(count: 64)).prefix(count))
        },
        signed("the signatures of the generation before", ["generation-forged"]) { head, scene, _ in
            var old = head
            old.generation -= 1
            old.manifest = try #require(scene.followed[old.generation]).manifest
            head.signatures = try scene.signers.map { try old.signature(by: $0) }
        },
        signed("a trusted signature and a wrong one more", ["generation-forged"]) { head, scene, _ in
            head.signatures.append(try head.signature(by: scene.untrusted, as: scene.signers[0].id))
        },
        signed("the next number", ["generation-forged"]) { head, _, _ in head.generation += 1 },
        signed("a number that no head has", ["generation-head-unreadable"]) { head, _, random in
            head.generation = [0, -1, .min].randomElement(using: &random) ?? 0
        },
        signed("the manifest before", ["generation-forged"]) { head, scene, _ in
            head.manifest = try #require(scene.followed[head.generation - 1]).manifest
        },
        signed("the neighbour's name", ["generation-foreign"]) { head, scene, _ in
            head.cluster = scene.neighbour.clusterName
        },
        Tampering("all: another third generation by the same keys", ["generation-forked"], after: 3...3) {
            store,
            scene,
            _,
            _ in
            store = scene.fork
        },
        // Not changes of what is in force: the same trusted key says the same, so the machine reads the same.
        signed("the signatures in another order", []) { head, _, _ in head.signatures.reverse() },
        signed("one trusted signature less", []) { head, _, random in
            head.signatures.remove(at: Int.random(in: head.signatures.indices, using: &random))
        },
        signed("a stranger's signature more", []) { head, scene, random in
            let place = Int.random(in: 0...head.signatures.count, using: &random)
            head.signatures.insert(try head.signature(by: scene.untrusted), at: place)
        },
    ]

    /// The head in force, signed by both keys, and changed then.
    private static func signed(
        _ name: String,
        _ codes: Set<String>,
        _ change: @escaping @Sendable (inout ForgedHead, TamperScene, inout Seeded) throws -> Void
    ) -> Tampering {
        Tampering("head: \(name)", codes) { store, scene, _, random in
            let key = try scene.layout.head()
            var head = try JSONDecoder().decode(ForgedHead.self, from: Data(try #require(store.objects[key])))
            head.signatures = try scene.signers.map { try head.signature(by: $0) }
            try change(&head, scene, &random)
            store.objects[key] = try encodeForStore(head)
        }
    }
}

/// A head whose values can be set one by one.
private struct ForgedHead: Codable {
    struct Signature: Codable {
        var key: String
        var signature: Data
    }

    var format: Int
    var cluster: String
    var generation: Int
    var manifest: String
    var signatures: [Signature]

    /// What a key signs of the head as it is now.
    func signature(by key: SigningKey, as name: String? = nil) throws -> Signature {
        let genuine = try GenerationHead(
            cluster: cluster,
            generation: generation,
            manifest: manifest,
            signers: [key]
        )
        return Signature(key: name ?? key.id, signature: genuine.signatures[0].signature)
    }
}
