// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
public import NodeOS
public import SystemPackage

/// A container image from a docker-archive, imported once.
///
/// - Shape: `image` {`source`, `sha256`, `runtime` (`docker` or `containerd`), `ensure`}.
/// - What an import gave is noted in `/var/lib/kopslite/images/<runtime>/<sha256>.json`; the note counts while the runtime
///   still lists all of it. Without a note nothing is known to be there, so absent then means nothing to do.
public struct ImageTask: DeclaredTask {
    /// A valid note, and which of its images the runtime still has.
    public struct Found: Sendable, Equatable {
        var identifiers: [String]
        var missing: [String]
    }

    /// What an import gave.
    struct Note: Codable {
        var runtime: String
        var identifiers: [String]
    }

    /// Effects on a runtime's images.
    public enum Step: PlannedStep {
        case load(String, bringingBack: Int?)
        case remove([String])

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .load(let digest, let missing):
                Change(
                    "image",
                    from: missing.map { .text("\($0) of its images gone") },
                    to: .text("sha256:\(digest.prefix(12))")
                )
            case .remove(let identifiers): Change("image", from: .text(identifiers.joined(separator: ",")))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "image"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// The archive.
    public let source: FilePath
    let sha256: String
    let runtime: String
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares an image.
    public init(
        _ source: FilePath,
        sha256: String,
        runtime: String,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(source.string)
        self.after = after
        self.source = source
        self.sha256 = sha256
        self.runtime = runtime
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "source", "sha256", "runtime")
        let runtime = try fields.name("runtime")
        guard ["docker", "containerd"].contains(runtime) else {
            throw fields.refuse("runtime", "\"\(runtime)\" is neither docker nor containerd")
        }
        self.init(
            try fields.path("source"),
            sha256: try fields.digest("sha256"),
            runtime: runtime,
            ensure: try fields.ensure()
        )
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["source": source.string, "sha256": sha256, "runtime": runtime] }
    /// What it makes and needs.
    public var claims: Claims {
        Claims(
            owns: [.name("image:\(runtime):\(sha256)")],
            uses: [.path(source), .name("unit:\(runtime).service")]
        )
    }

    private var note: FilePath { FilePath("/var/lib/kopslite/images").appending(runtime).appending("\(sha256).json") }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        guard let text = try await node.text(of: note),
            let note = try? JSONDecoder().decode(Note.self, from: Data(text.utf8)),
            note.runtime == runtime, !note.identifiers.isEmpty
        else { return nil }
        let present = try await node.images(in: runtime)
        return Found(identifiers: note.identifiers, missing: note.identifiers.filter { !present.contains($0) })
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else { return found.map { [.remove($0.identifiers)] } ?? [] }
        guard let found else { return [.load(sha256, bringingBack: nil)] }
        return found.missing.isEmpty ? [] : [.load(sha256, bringingBack: found.missing.count)]
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .load:
            try await node.verify(source, sha256: sha256, for: "import an image into \(runtime)")
            let identifiers = try await node.importImage(source, into: runtime)
            guard !identifiers.isEmpty else {
                throw conflict(
                    "image-empty",
                    "import \(source) into \(runtime): the archive holds no image",
                    hint: "give an archive as `docker save` writes it"
                )
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let data = try encoder.encode(Note(runtime: runtime, identifiers: identifiers.sorted()))
            try await node.writeOwn(String(decoding: data, as: UTF8.self) + "\n", to: note)
        case .remove(let identifiers):
            let present = try await node.images(in: runtime)
            for identifier in identifiers where present.contains(identifier) {
                try await node.removeImage(identifier, from: runtime)
            }
            try await node.remove(note)
        }
    }
}
