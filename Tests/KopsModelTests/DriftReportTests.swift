// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import Testing

@Suite("drift reports")
struct DriftReportTests {
    private func report(_ differences: [DriftReport.Difference]) -> DriftReport {
        DriftReport(
            instance: "nodes-1",
            instanceGroup: "nodes",
            role: .node,
            generation: 4,
            checked: Date(timeIntervalSince1970: 1_700_000_000.75),
            total: 61,
            digest: String(repeating: "a", count: 64),
            differences: differences
        )
    }

    private func difference(_ number: Int, bytes: Int = 10) -> DriftReport.Difference {
        DriftReport.Difference(
            id: "file:/etc/\(1000 + number)",
            action: .change,
            changes: [String(repeating: "\"", count: bytes)]
        )
    }

    @Test("a report is read back as it was written, with the members that others rely on")
    func roundTrip() throws {
        let failed = DriftReport.Difference(
            id: "directory:/etc/a",
            action: .fail,
            changes: [],
            failure: AgentFailure(code: "not-a-directory", message: "it is a file", hint: "move it away")
        )
        let written = report([difference(1), failed])
        let bytes = try written.encoded()
        #expect(try DriftReport(parsing: bytes) == written)
        let document = try JSONValue(parsing: bytes)
        #expect(document["checked"] == "2023-11-14T22:13:20Z")
        #expect(document["role"] == "node" && document["generation"] == 4 && document["total"] == 61)
        #expect(document["failures"] == 1 && document["truncated"] == false)
        #expect(document["differences"]?[0]?["id"] == "directory:/etc/a")
        #expect(document["differences"]?[1]?["action"] == "change")
    }

    @Test("at most 200 differences are listed, and all are counted")
    func manyDifferences() throws {
        let all = report((0..<500).reversed().map { difference($0) })
        let read = try DriftReport(parsing: try all.encoded())
        #expect(read.truncated && read.differenceCount == 500)
        #expect(read.differences == Array(all.differences.prefix(200)))
        let exact = try DriftReport(parsing: try report((0..<200).map { difference($0) }).encoded())
        #expect(!exact.truncated && exact.differences.count == 200)
    }

    @Test("a report is never longer than 64 KiB", arguments: [100, 500, 5_000, 70_000])
    func longDifferences(bytes: Int) throws {
        let encoded = try report((0..<150).map { difference($0, bytes: bytes) }).encoded()
        #expect(encoded.count <= 64 << 10)
        let read = try DriftReport(parsing: encoded)
        #expect(read.differenceCount == 150 && !read.isAsDeclared)
        #expect(read.truncated == (bytes > 100))
        // No more is left out than has to be.
        if read.truncated, bytes < 10_000 { #expect(encoded.count > (64 << 10) - 3 * bytes) }
    }
}
