// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks

/// What libFuzzer calls with each input it makes up; a trap is what it looks for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTasks(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let said = verdict(on: bytes)
    // Whatever stands where a secret may stand must not show.
    let other = Secrets(in: bytes).replaced
    if other != bytes { demand(verdict(on: other) == said, "the failure depends on a secret: \(said ?? "none")") }
    return 0
}

/// A precondition whose words are printed in a release build too.
private func demand(_ condition: Bool, _ words: @autoclosure () -> String) {
    if !condition { fatalError(words()) }
}

/// How the input is refused; `nil` when it is a list of tasks.
private func verdict(on bytes: [UInt8]) -> String? {
    let tasks: [any NodeTask]
    do {
        tasks = try TasksFile.parse(bytes, name: "fuzz.json")
    } catch let failure as Failure {
        demand(failure.code == "tasks-file-invalid", "the code is \(failure.code)")
        demand(failure.message.hasPrefix("fuzz.json: "), "the file is not named: \(failure.message)")
        demand(failure.message.utf8.count < 4096, "too many words")
        demand(!failure.message.utf8.contains { $0 < 0x20 }, "control characters: \(failure.message)")
        return failure.chain
    } catch {
        fatalError("no failure of ours: \(error)")
    }
    do {
        _ = try NodeTaskGraph(tasks)
    } catch {
        demand(error is Failure, "no failure of ours: \(error)")
    }
    return nil
}
