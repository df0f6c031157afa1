// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage

/// The paths that tasks speak of, each as a number that knows the number of the directory above it.
///
/// Most of a large list lies in few directories; walking up by number costs nothing where comparing paths would cost
/// more than everything else a plan does.
struct PathIndex {
    private var numbers: [String: Int] = ["/": 0]
    private var above: [Int] = [-1]
    private var texts: [String] = ["/"]

    /// How many paths and directories above them there are; all numbers are below it.
    var count: Int { above.count }

    /// The number of a path, made when it has none.
    mutating func number(of path: FilePath) -> Int { number(of: path.string) }

    private mutating func number(of path: String) -> Int {
        if let known = numbers[path] { return known }
        let parent = number(of: Self.parent(of: path))
        let new = above.count
        above.append(parent)
        texts.append(path)
        numbers[path] = new
        return new
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The path behind a number.
    func path(_ number: Int) -> String { texts[number] }

    /// The directories above a path, nearest first, with the root last.
    func ancestors(of number: Int) -> Ancestors { Ancestors(above: above, place: above[number]) }

    /// A path and the directories above it.
    func lineage(of number: Int) -> Ancestors { Ancestors(above: above, place: number) }

    /// A walk up to the root.
    struct Ancestors: Sequence, IteratorProtocol {
        fileprivate let above: [Int]
        fileprivate var place: Int

        mutating func next() -> Int? {
            guard place >= 0 else { return nil }
            defer { place = above[place] }
            return place
        }
    }
}
