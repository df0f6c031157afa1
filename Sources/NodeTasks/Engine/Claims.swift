// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// What a task makes, shares and needs, as far as order follows from it.
///
/// ``TaskGraph`` reads claims and nothing else, so it needs to know no kind of task. Its rules:
/// - What two tasks own is refused, and so is owning something below a path that another task clears.
/// - A task with a path (owned, carried, used or cleared) comes after the tasks that own or carry a path above it.
/// - A task comes after the owners of what it uses or reacts to, and of every path below that.
/// - A task that owns a path comes after the one that carries or vacates the same path.
/// - A task that clears a path comes after everything that clears or vacates a path below it.
public struct Claims: Sendable, Equatable {
    /// Something that at most one task makes.
    public enum Claim: Hashable, Sendable, CustomStringConvertible {
        /// A path of the file tree.
        case path(FilePath)
        /// A named part of a file that several tasks write; the file as a whole then belongs to none.
        case part(of: FilePath, String)
        /// Something else, such as `user:etcd`.
        case name(String)

        /// The claim as an error shows it.
        public var description: String {
            switch self {
            case .path(let path): path.string
            case .part(let path, let name): "\(path) (\(name))"
            case .name(let name): name
            }
        }
    }

    /// What it makes and no other task may make.
    public var owns: [Claim]
    /// Paths below which other tasks' files come to lie, such as a mount point.
    public var carries: [FilePath]
    /// What it needs when somebody makes it.
    public var uses: [Claim]
    /// Paths it uses and whose change it follows, as if their owners were in ``ConvergentTask/follows``.
    public var reactsTo: [FilePath]
    /// Paths it removes with all that is below.
    public var clears: [FilePath]
    /// Paths that it stops carrying.
    public var vacates: [FilePath]

    /// Makes claims from their parts.
    public init(
        owns: [Claim] = [],
        carries: [FilePath] = [],
        uses: [Claim] = [],
        reactsTo: [FilePath] = [],
        clears: [FilePath] = [],
        vacates: [FilePath] = []
    ) {
        self.owns = owns
        self.carries = carries
        self.uses = uses
        self.reactsTo = reactsTo
        self.clears = clears
        self.vacates = vacates
    }

    var ownedPaths: [FilePath] {
        owns.compactMap { claim in
            switch claim {
            case .path(let path), .part(let path, _): path
            case .name: nil
            }
        }
    }

    var usedPaths: [FilePath] {
        uses.compactMap { claim in
            if case .path(let path) = claim { path } else { nil }
        }
    }
}
