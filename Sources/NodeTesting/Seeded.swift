// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeTasks

/// Random input that can be had again: the seed is part of every failure's text.
public struct Seeded: RandomNumberGenerator, Sendable, CustomStringConvertible {
    /// What the numbers follow from.
    public let seed: UInt64
    private var generator: SeededGenerator

    /// Starts from a seed.
    public init(_ seed: UInt64) {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    /// Seeds for a test's arguments: `TEST_SEED` alone when it is set, otherwise 1 to `count`.
    public static func seeds(_ count: Int) -> [UInt64] {
        if let text = ProcessInfo.processInfo.environment["TEST_SEED"], let seed = UInt64(text) { return [seed] }
        return (1...UInt64(max(1, count))).map(\.self)
    }

    /// The next number.
    public mutating func next() -> UInt64 { generator.next() }
    /// How to run it again.
    public var description: String { "TEST_SEED=\(seed)" }
}
