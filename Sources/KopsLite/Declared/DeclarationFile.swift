// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore

/// A file of objects, read strictly: everything that is wrong is said at once, and nothing is written.
struct DeclarationFile {
    /// What to call the file in messages.
    let file: String
    private let entries: [(object: APIObject, document: YamlDocument)]

    init(bytes: [UInt8], file: String) throws {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure("\(file): is no text", remedy: "save it as UTF-8")
        }
        var lines: [String] = []
        var entries: [(APIObject, YamlDocument)] = []
        for document in try YamlDocument.all(in: text, file: file) {
            do throws(SpecError) {
                entries.append((try APIObject(document: document.value), document))
            } catch {
                lines += Self.lines(of: error, document, file: file)
            }
        }
        guard lines.isEmpty else { throw CommandFailure(lines: lines) }
        guard !entries.isEmpty else {
            throw CommandFailure("\(file): holds no object", remedy: "declare a Cluster and its InstanceGroups in it")
        }
        self.file = file
        self.entries = entries
    }

    /// The declarations of the file, one for each cluster in the order of their first object.
    ///
    /// - Parameter only: The cluster the command names, if it names one; objects of another are refused.
    /// - Returns: At least one declaration.
    /// - Throws: ``CommandFailure`` for an object of no cluster or of another, or one that is declared twice.
    func declarations(only: String?) throws -> [Declaration] {
        var names: [String] = []
        var objects: [String: [APIObject]] = [:]
        for (object, document) in entries {
            let label = SpecPath("metadata", "labels").key(ObjectMeta.clusterLabel)
            guard let name = object.clusterName else {
                throw failure(document, SpecProblem(label, "is missing", remedy: "write the cluster's name"))
            }
            let path: SpecPath = if case .cluster = object { SpecPath("metadata", "name") } else { label }
            if let only, name != only {
                throw failure(document, SpecProblem(path, "is \(name), but the command names \(only)"))
            }
            guard DNSName.isClusterName(name) else { throw failure(document, ClusterCheck.badName(name, at: path)) }
            if objects[name]?.contains(where: { $0.reference == object.reference }) == true {
                throw failure(
                    document,
                    SpecProblem(
                        SpecPath("metadata", "name"),
                        "\(object.reference) is declared twice",
                        remedy: "keep one"
                    )
                )
            }
            if objects[name] == nil { names.append(name) }
            objects[name, default: []].append(object)
        }
        return names.map { Declaration(clusterName: $0, objects: objects[$0] ?? []) }
    }

    /// Checks a declaration together with what the store holds of its cluster.
    func check(_ declaration: Declaration, in repository: ClusterRepository) async throws {
        let stored = try await repository.cluster(declaration.clusterName)
        guard let cluster = declaration.cluster ?? stored else {
            throw CommandFailure(
                "\(file): there is no cluster \(declaration.clusterName) in \(repository.store.url)",
                remedy: "declare the Cluster in the file too"
            )
        }
        let own = declaration.groups
        let others = stored == nil ? [] : try await repository.groups(of: declaration.clusterName)
        let groups = own + others.filter { other in !own.contains { $0.metadata.name == other.metadata.name } }
        let check = ClusterCheck(cluster: cluster, groups: groups, store: repository.store.url)
        // A cluster may be declared before its groups; together they are checked as soon as there are any.
        let errors = groups.isEmpty ? check.separate() : check.all()
        guard errors.isEmpty else {
            throw CommandFailure(lines: errors.flatMap { error in lines(of: error, in: declaration.clusterName) })
        }
    }

    private func failure(_ document: YamlDocument, _ problem: SpecProblem) -> CommandFailure {
        CommandFailure("\(file):\(document.line(of: problem.path)): \(problem)")
    }

    private func lines(of error: SpecError, in cluster: String) -> [String] {
        let entry = entries.first { entry in
            let kind = entry.document.value["kind"]?.string ?? ""
            return "\(kind) \(entry.object.metadata.name)" == error.subject && entry.object.clusterName == cluster
        }
        guard let entry else { return error.problems.map { "\(file): \(error.subject): \($0)" } }
        return Self.lines(of: error, entry.document, file: file)
    }

    private static func lines(of error: SpecError, _ document: YamlDocument, file: String) -> [String] {
        error.problems.map { "\(file):\(document.line(of: $0.path)): \(error.subject): \($0)" }
    }
}
