// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import Testing

@testable import StateStore

/// One way to tamper with what a machine reads, and what the machine may say of it.
struct Tampering: Sendable, CustomTestStringConvertible {
    /// What a machine reads.
    enum Target: String, CaseIterable, Sendable {
        case head
        case manifest
        case object

        /// What the machine says when these bytes are not those that were published.
        var codes: Set<String> {
            switch self {
            case .head: Tampering.headCodes
            case .manifest: ["generation-manifest-mismatch"]
            case .object: ["generation-object-altered"]
            }
        }

        /// What the machine says when they are gone.
        var missing: String {
            switch self {
            case .head: "generation-not-published"
            case .manifest: "generation-manifest-missing"
            case .object: "generation-object-missing"
            }
        }

        func key(_ scene: TamperScene, _ random: inout Seeded) throws -> StoreKey {
            switch self {
            case .head: return try scene.layout.head()
            case .manifest: return try scene.layout.manifest(TamperScene.generations)
            case .object:
                let name = scene.expected.keys.sorted().randomElement(using: &random) ?? ""
                return try scene.layout.object(name, in: TamperScene.generations)
            }
        }
    }

    /// The store and what the machine has followed: the generation in force, or the one before it.
    typealias Change = @Sendable (inout FrozenStore, TamperScene, FollowedGeneration, inout Seeded) throws -> Void

    /// What a head may be called whose bytes were changed at random: which, depends on the value that was hit.
    static let headCodes: Set<String> = [
        "generation-head-unreadable", "generation-newer", "generation-foreign", "generation-untrusted",
        "generation-forged",
    ]

    let testDescription: String
    /// The codes of the refusal; empty when the same generation stays in force, because a trusted key still says so.
    let codes: Set<String>
    /// Which generations a machine may have followed before.
    let after: ClosedRange<Int>
    let change: Change

    init(
        _ name: String,
        _ codes: Set<String>,
        after: ClosedRange<Int> = 2...TamperScene.generations,
        _ change: @escaping Change
    ) {
        testDescription = name
        self.codes = codes
        self.after = after
        self.change = change
    }

    /// A change of the bytes under one key.
    static func bytes(
        _ name: String,
        of target: Target,
        _ codes: Set<String>? = nil,
        _ change: @escaping @Sendable (inout [UInt8], inout Seeded) -> Void
    ) -> Tampering {
        Tampering("\(target.rawValue): \(name)", codes ?? target.codes) { store, scene, _, random in
            let key = try target.key(scene, &random)
            change(&store.objects[key, default: []], &random)
        }
    }

    static let all = Target.allCases.flatMap { noise($0) + replacements($0) } + replays + headForms + signatures

    /// Bytes changed without a thought.
    private static func noise(_ target: Target) -> [Tampering] {
        [
            .bytes("a bit is flipped", of: target) { bytes, random in
                bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
            },
            .bytes("a byte is another", of: target) { bytes, random in
                bytes[Int.random(in: bytes.indices, using: &random)] &+= UInt8.random(in: 1...255, using: &random)
            },
            .bytes("the end is cut off", of: target) { bytes, random in
                bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            },
            .bytes("something is put in", of: target) { bytes, random in
                let more = (0...Int.random(in: 0...8, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                bytes.insert(contentsOf: more, at: Int.random(in: 0...bytes.count, using: &random))
            },
            .bytes("a part is cut out", of: target) { bytes, random in
                let start = Int.random(in: bytes.indices, using: &random)
                bytes.removeSubrange(start..<Int.random(in: start + 1...bytes.count, using: &random))
            },
            .bytes("it is there twice", of: target) { bytes, _ in bytes += bytes },
            .bytes("it is empty", of: target) { bytes, _ in bytes = [] },
            Tampering("\(target.rawValue): it is gone", [target.missing]) { store, scene, _, random in
                store.objects[try target.key(scene, &random)] = nil
            },
        ]
    }

    /// Bytes that are right somewhere else.
    private static func replacements(_ target: Target) -> [Tampering] {
        func from(
            _ name: String,
            _ codes: Set<String>,
            _ source: @escaping @Sendable (StoreKey, TamperScene, inout Seeded) throws -> [UInt8]?
        ) -> Tampering {
            let codes = target == .head ? codes : target.codes
            return Tampering("\(target.rawValue): \(name)", codes) { store, scene, _, random in
                let key = try target.key(scene, &random)
                let bytes: [UInt8] = try #require(try source(key, scene, &random))
                store.objects[key] = bytes
            }
        }
        return [
            from("of a cluster with the same keys", ["generation-foreign"]) { key, scene, _ in
                scene.store.objects[try key.moved(to: scene.neighbour)]
            },
            from("of a cluster with other keys", ["generation-foreign"]) { key, scene, _ in
                scene.store.objects[try key.moved(to: scene.stranger)]
            },
            from("of a namesake with other keys", ["generation-untrusted"]) { key, scene, _ in
                scene.namesake.objects[key]
            },
            from("any other object of the cluster", ["generation-head-unreadable"]) { key, scene, random in
                let others = scene.store.list(try scene.layout.root()).filter { $0 != key }
                return others.randomElement(using: &random).flatMap { scene.store.objects[$0] }
            },
        ]
    }

    /// What was right once, or is right for somebody else, as a whole.
    private static let replays = [
        Tampering("head: an older one", ["generation-older"]) { store, scene, followed, random in
            try replay(Int.random(in: 1..<followed.number, using: &random), &store, scene)
        },
        Tampering("manifest: an older one", ["generation-manifest-mismatch"]) { store, scene, _, random in
            let old = try scene.layout.manifest(Int.random(in: 1..<TamperScene.generations, using: &random))
            store.objects[try scene.layout.manifest(TamperScene.generations)] = store.objects[old]
        },
        Tampering("object: an older one", ["generation-object-altered"]) { store, scene, _, random in
            let key = try Target.object.key(scene, &random)
            var parts = key.parts
            parts[2] = String(Int.random(in: 1..<TamperScene.generations, using: &random))
            store.objects[key] = store.objects[try StoreKey(parts: parts)]
        },
        Tampering("object: another one's bytes", ["generation-object-altered"]) { store, scene, _, random in
            let names = scene.expected.keys.sorted().shuffled(using: &random)
            let keys = try names.prefix(2).map { try scene.layout.object($0, in: TamperScene.generations) }
            (store.objects[keys[0]], store.objects[keys[1]]) = (store.objects[keys[1]], store.objects[keys[0]])
        },
        Tampering("all: an older state", ["generation-older"]) { store, scene, followed, random in
            try replay(Int.random(in: 1..<followed.number, using: &random), &store, scene)
            let now = try scene.layout.generations().parts + [String(TamperScene.generations)]
            store.objects = store.objects.filter { !$0.key.parts.starts(with: now) }
        },
        Tampering("all: a namesake's", ["generation-untrusted"]) { store, scene, _, _ in store = scene.namesake },
        Tampering("all: nothing", ["generation-not-published"]) { store, _, _, _ in store.objects = [:] },
    ]

    /// Puts back the head of an older generation, as it was signed then.
    private static func replay(_ number: Int, _ store: inout FrozenStore, _ scene: TamperScene) throws {
        let head = try GenerationHead(
            cluster: scene.layout.clusterName,
            generation: number,
            manifest: try #require(scene.followed[number]).manifest,
            signers: Array(scene.signers.prefix(1))
        )
        store.objects[try scene.layout.head()] = try head.encoded()
    }
}

extension StoreKey {
    /// The same object of another cluster.
    fileprivate func moved(to layout: ClusterLayout) throws -> StoreKey {
        try StoreKey(parts: [layout.clusterName] + parts.dropFirst())
    }
}
