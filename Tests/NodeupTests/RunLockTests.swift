// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import SystemPackage
import Testing

@testable import Nodeup

@Suite struct RunLockTests {
    @Test func oneWhoLooksSeesARunAndIsInNobodysWay() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "kopslite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        let path = FilePath(root.path)

        #expect(try RunLock.look(below: path) == RunLock.Sight(isHeld: false, owner: "", began: 0))
        let run = try RunLock.acquire(below: path)
        let during = try RunLock.look(below: path)
        #expect(during.isHeld && during.owner == " (pid \(ProcessInfo.processInfo.processIdentifier))")
        #expect(throws: Failure.self) { _ = try RunLock.acquire(below: path) }
        run.release()
        let after = try RunLock.look(below: path)
        #expect(!after.isHeld && after.began == during.began)
        #expect(try RunLock.look(below: path) == after)
        try RunLock.acquire(below: path).release()
    }
}
