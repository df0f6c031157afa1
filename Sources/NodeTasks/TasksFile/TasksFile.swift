// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS

/// A list of tasks as JSON: `{"tasks": [{"<kind>": {…}, "id": "…", "after": ["…"]}, …]}`.
///
/// - Shape: `id` and `after` are optional; `id` defaults to `<kind>:<key>`. All paths are absolute, modes octal strings.
///   Every kind takes `"ensure": "absent"`.
public enum TasksFile {
    /// The largest file read, in bytes.
    public static let sizeLimit = 64 << 20
    /// The deepest nesting read.
    public static let depthLimit = 32
    /// The most tasks read.
    public static let countLimit = 200_000

    /// The kinds of task, by the name they have in a file.
    static let kinds: [String: any DeclaredTask.Type] = {
        let all: [any DeclaredTask.Type] = [
            FileTask.self, DirectoryTask.self, SymlinkTask.self, PackageTask.self, ServiceTask.self, UserTask.self,
            GroupTask.self, MountTask.self, BindMountTask.self, FilesystemTask.self, ArchiveTask.self, ImageTask.self,
            SysctlTask.self, KernelModuleTask.self, HostsBlockTask.self, CertificateTask.self,
        ]
        return Dictionary(uniqueKeysWithValues: all.map { ($0.kind, $0) })
    }()

    /// The names of all kinds.
    package static var kindNames: Set<String> { Set(kinds.keys) }

    /// Reads tasks.
    ///
    /// - Parameters:
    ///   - bytes: The JSON.
    ///   - file: What to call the file in errors.
    /// - Returns: The tasks, in the file's order.
    /// - Returns: The tasks, in the file's order.
    /// - Throws: ``Failure`` with the code `tasks-file-invalid`, naming the file, the JSON path and the reason. Unknown
    ///   kinds and keys, and names given twice, are refused.
    public static func parse(_ bytes: [UInt8], name file: String) throws -> [any NodeTask] {
        do {
            guard bytes.count <= sizeLimit else { throw InvalidValue(path: [], reason: "is larger than 64 MiB") }
            try JSONOutline.check(bytes, depthLimit: depthLimit)
            let document = try JSONDecoder().decode(TasksDocument.self, from: Data(bytes))
            try refuseDuplicates(document)
            return document.tasks.map(\.task)
        } catch {
            throw failure(error, file: file)
        }
    }

    private static func refuseDuplicates(_ document: TasksDocument) throws {
        var seen: [TaskID: Int] = [:]
        for (index, entry) in document.tasks.enumerated() {
            guard let first = seen.updateValue(index, forKey: entry.task.id) else { continue }
            throw InvalidValue(
                path: [FieldName("tasks"), FieldName(intValue: index)].compactMap(\.self),
                reason: "has the same id as tasks[\(first)], \(entry.task.id); give one of them an \"id\""
            )
        }
    }

    private static func failure(_ error: any Error, file: String) -> Failure {
        let (path, reason) = explained(error)
        let place = path.isEmpty ? "" : "\(text(of: path)): "
        return Failure(
            .permanent,
            code: "tasks-file-invalid",
            Self.printable("\(file): \(place)\(reason)"),
            hint: "correct the file; nothing was looked at or changed"
        )
    }

    /// A text without what a terminal would obey.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 })
        )
    }

    private static func explained(_ error: any Error) -> ([any CodingKey], String) {
        switch error {
        case let error as InvalidValue: return (error.path, error.reason)
        case DecodingError.typeMismatch(let type, let context):
            return (context.codingPath, "has the wrong type; \(name(of: type)) is wanted")
        case DecodingError.valueNotFound(let type, let context):
            return (context.codingPath, "is null; \(name(of: type)) is wanted")
        case DecodingError.keyNotFound(let key, let context): return (context.codingPath + [key], "missing")
        case DecodingError.dataCorrupted(let context):
            // The decoder's own words may quote the file, and with it a secret.
            return (context.codingPath, context.codingPath.isEmpty ? "is no JSON" : "is out of range")
        default: return ([], "cannot be read")
        }
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is [String: Any].Type: "an object"
        case is [Any].Type: "a list"
        default: "\(type)".hasPrefix("Array") ? "a list" : "another one"
        }
    }

    private static func text(of path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue.prefix(80)
            }
        }
    }
}

/// The whole document.
private struct TasksDocument: Decodable {
    var tasks: [TaskEntry]

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: FieldName.self)
        for key in container.allKeys where key.stringValue != "tasks" {
            throw InvalidValue(path: [key], reason: "unknown key; known is tasks")
        }
        var list = try container.nestedUnkeyedContainer(forKey: FieldName("tasks"))
        guard (list.count ?? 0) <= TasksFile.countLimit else {
            throw InvalidValue(path: [FieldName("tasks")], reason: "has more than \(TasksFile.countLimit) elements")
        }
        tasks = []
        while !list.isAtEnd { tasks.append(try list.decode(TaskEntry.self)) }
    }
}

/// One element of `tasks`.
private struct TaskEntry: Decodable {
    var task: any DeclaredTask

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: FieldName.self)
        let names = container.allKeys.map(\.stringValue).filter { $0 != "id" && $0 != "after" }.sorted()
        if let unknown = names.first(where: { TasksFile.kinds[$0] == nil }) {
            let known = TasksFile.kinds.keys.sorted().joined(separator: ", ")
            throw InvalidValue(
                path: container.codingPath + [FieldName(unknown)],
                reason: "unknown kind; known are \(known)"
            )
        }
        guard let name = names.first, names.count == 1, let kind = TasksFile.kinds[name] else {
            throw InvalidValue(
                path: container.codingPath,
                reason: names.isEmpty ? "names no kind" : "names several kinds"
            )
        }
        task = try kind.init(from: container.superDecoder(forKey: FieldName(name)))
        if let id = try Self.text(container, "id") { task.id = TaskID(id) }
        task.after += try container.decodeIfPresent([TaskID].self, forKey: FieldName("after")) ?? []
    }

    private static func text(_ container: KeyedDecodingContainer<FieldName>, _ name: String) throws -> String? {
        guard container.contains(FieldName(name)) else { return nil }
        let text = try container.decode(String.self, forKey: FieldName(name))
        guard !text.isEmpty, !Fields.hasControl(text), text.utf8.count <= 1024 else {
            throw InvalidValue(
                path: container.codingPath + [FieldName(name)],
                reason: "is empty, longer than 1024 bytes, or holds control characters"
            )
        }
        return text
    }
}
