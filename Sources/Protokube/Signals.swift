// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Dispatch
import Glibc
import Logging
import NodeOS

/// The signals by which a service manager or a person ends the program.
enum Signals {
    /// Delivers SIGTERM and SIGINT from now on, instead of their killing the process.
    static func termination() -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(1))
        for number in [SIGTERM, SIGINT] {
            // Ignored for the process, so that only the source hears it (signal(7)).
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            // The handler holds its source, which would stop listening with its last owner.
            source.setEventHandler {
                continuation.yield(number)
                withExtendedLifetime(source) {}
            }
            source.resume()
        }
        return stream
    }

    /// Runs a body until it ends or a signal ends it, and says why it failed.
    ///
    /// - Throws: `ExitCode.failure` where something failed.
    static func until(
        _ log: Logger,
        _ body: @escaping @Sendable () async throws -> Pipeline.Ending
    ) async throws {
        do {
            if try await ending(body) == .failed { throw ExitCode.failure }
        } catch let failure as Failure {
            log.error("\(failure.line)")
            throw ExitCode.failure
        }
    }

    /// The body's result; `nil` when a signal ended it.
    private static func ending(
        _ body: @escaping @Sendable () async throws -> Pipeline.Ending
    ) async throws -> Pipeline.Ending? {
        let signals = termination()
        return try await withThrowingTaskGroup(of: Pipeline.Ending?.self) { group in
            group.addTask {
                do {
                    return try await body()
                } catch is CancellationError {
                    return nil
                }
            }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            // The pipeline writes its last status before it ends.
            try await group.waitForAll()
            return first
        }
    }
}
