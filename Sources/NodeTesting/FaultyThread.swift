// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// A thread on which the kernel refuses something, while all other threads of the process go on as before.
///
/// It is the kernel that answers: by a filter of system calls (seccomp(2)), or by its own rules for another user
/// (setfsuid(2)). Both belong to one thread and end with it.
public enum FaultyThread {
    /// What is refused.
    public enum Fault: Sendable {
        /// These system calls fail with a number of errno(3).
        case refusing([SystemCall], with: Int32)
        /// Files are reached with the rights of this user.
        case actingAs(UInt32)
    }

    /// The system calls that can be refused.
    public enum SystemCall: Sendable {
        case fchown
        case flock
        case fstatat
        case fsync
        case openat
        case renameat
        case symlinkat
        case unlinkat
        case write
    }

    /// Runs a body, and all the tasks it awaits, on such a thread.
    ///
    /// The body must not start threads or processes, which would inherit the fault.
    public static func run<Value: Sendable>(
        _ fault: Fault,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let shared = Shared<Value>()
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            // Two threads: a faulty one that resumed the caller might start a thread of the pool, with its fault.
            _ = thread {
                let executor = SingleThreadExecutor()
                let faulty = thread {
                    switch inject(fault) {
                    case 0: executor.runUntilStopped()
                    case let number: shared.set(.failure(NotInjected(number: number)))
                    }
                }
                Task(executorPreference: executor) {
                    let outcome: Result<Value, any Error>
                    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
                    shared.set(outcome)
                    executor.stop()
                }
                pthread_join(faulty, nil)
                continuation.resume()
            }
        }
        return try shared.get()
    }

    /// Why a fault could not be injected.
    struct NotInjected: Error {
        let number: Int32
    }
}

extension FaultyThread {
    /// Starts a thread; without one there is no test.
    private static func thread(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        let number = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            },
            Unmanaged.passRetained(Body(run: body)).toOpaque()
        )
        precondition(number == 0, "no thread: errno \(number)")
        return thread
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

/// A result that one thread leaves for another.
private final class Shared<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    func set(_ outcome: Result<Value, any Error>) { result.withLock { $0 = outcome } }

    func get() throws -> Value {
        guard let outcome = result.withLock({ $0 }) else { throw CancellationError() }
        return try outcome.get()
    }
}

/// Runs tasks on the one thread that asks it to.
private final class SingleThreadExecutor: TaskExecutor {
    private let state = Mutex<(jobs: [UnownedJob], isStopped: Bool)>(([], false))
    /// Counts the jobs; the pointer never changes.
    private nonisolated(unsafe) let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        sem_post(semaphore)
    }

    func stop() { state.withLock { $0.isStopped = true } }

    func runUntilStopped() {
        while !state.withLock({ $0.isStopped }) {
            sem_wait(semaphore)
            let job = state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
            job?.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
