// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// A thread for one piece of work that blocks, so that it keeps no thread of the cooperative pool from other tasks.
enum BlockingThread {
    /// Whether the task that waits for the thread was cancelled.
    final class Cancellation: Sendable {
        private let flag = Atomic(false)
        var isCancelled: Bool { flag.load(ordering: .relaxed) }
        fileprivate func cancel() { flag.store(true, ordering: .relaxed) }
    }

    /// Runs the work on a thread of its own and waits for it without blocking.
    static func run<Value: Sendable>(
        _ work: @escaping @Sendable (Cancellation) throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let cancellation = Cancellation()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
                start {
                    do throws(Failure) {
                        continuation.resume(returning: .success(try work(cancellation)))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                } orElse: { number in
                    continuation.resume(returning: .failure(.system(number, "cannot start", "a thread")))
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread and returns; `fail` gets the number of the error where there can be none.
    static func start(_ body: @escaping @Sendable () -> Void, orElse fail: (Int32) -> Void) {
        let box = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let number = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            },
            box.toOpaque()
        )
        if number == 0 {
            pthread_detach(thread)
        } else {
            box.release()
            fail(number)
        }
    }
}
