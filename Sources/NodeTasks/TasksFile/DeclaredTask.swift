// SPDX-License-Identifier: Apache-2.0

/// A kind of task that a tasks file can declare.
///
/// It decodes from the object below its kind's name; `id` and `after` stand beside that object and are set afterwards.
public protocol DeclaredTask: NodeTask, Decodable, CustomStringConvertible {
    /// The name in a tasks file, such as `bindMount`.
    static var kind: String { get }
    var id: TaskID { get set }
    var after: [TaskID] { get set }
    var ensure: Ensure { get }
    /// The members that name the object in a tasks file, enough to declare it absent; `nil` where a run must never undo
    /// on its own what it did.
    var naming: [String: String]? { get }
}

extension DeclaredTask {
    /// The name and no contents, which may be secret.
    public var description: String { id.name }

    static func defaultID(_ key: String) -> TaskID { TaskID("\(kind):\(key)") }
}

/// Whether the object is to be there.
public enum Ensure: String, Sendable, Codable, Equatable {
    case present
    case absent
}
