// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc
import Synchronization

/// The thread that owns a libcurl multi handle (libcurl-multi(3)).
final class CurlDriver: Sendable {
    private struct Shared {
        var waiting: [Job] = []
        var isRunning = false
        var isStopped = false
    }

    /// Process-wide set-up, once (curl_global_init(3)).
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let shared = Mutex(Shared())
    /// Only ``run()`` touches it, on its thread, but for curl_multi_wakeup(3), which any thread may call.
    nonisolated(unsafe) private let multi: UnsafeMutableRawPointer?

    init() { multi = Self.isReady ? curl_multi_init() : nil }

    /// The thread holds a reference, so this runs after it ended.
    deinit { curl_multi_cleanup(multi) }

    /// Hands a request to the thread, which always resumes its continuation.
    func submit(_ job: Job) {
        let accepted = shared.withLock { shared in
            guard multi != nil, !shared.isStopped else { return false }
            if !shared.isRunning { shared.isRunning = startThread() }
            if shared.isRunning { shared.waiting.append(job) }
            return shared.isRunning
        }
        guard accepted else {
            let message = "\(job.request.method) \(FetchError.shown(job.request.url)): libcurl did not start"
            job.continuation.resume(throwing: FetchError(.transient, code: "client-not-started", message))
            return
        }
        wake()
    }

    /// Makes the thread look at new and cancelled requests.
    func wake() { curl_multi_wakeup(multi) }

    /// Ends the thread.
    func stop() {
        shared.withLock { $0.isStopped = true }
        wake()
    }

    private func startThread() -> Bool {
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { context in
                // Passed by `startThread`, never nil.
                guard let context else { return nil }
                Unmanaged<CurlDriver>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        guard result == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func run() {
        // Signals are for the threads that handle them; a broken pipe is an error code here.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, nil)
        var active: [UnsafeMutableRawPointer: Transfer] = [:]
        while let jobs = take() {
            for job in jobs { begin(job, &active) }
            for transfer in Array(active.values) where transfer.job.ticket.isCancelled {
                end(transfer, &active).fail(CancellationError())
            }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            collect(&active)
            curl_multi_poll(multi, nil, 0, active.isEmpty ? 60_000 : 1000, nil)
        }
        for transfer in Array(active.values) { end(transfer, &active).fail(CancellationError()) }
    }

    /// New requests; `nil` once the client is gone.
    private func take() -> [Job]? {
        shared.withLock { shared in
            defer { shared.waiting = [] }
            return shared.isStopped && shared.waiting.isEmpty ? nil : shared.waiting
        }
    }

    private func begin(_ job: Job, _ active: inout [UnsafeMutableRawPointer: Transfer]) {
        guard !job.ticket.isCancelled else { return job.continuation.resume(throwing: CancellationError()) }
        do throws(FetchError) {
            let transfer = try Transfer(job)
            guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
                throw FetchError(.transient, code: "client-not-started", "libcurl took no request")
            }
            active[transfer.easy] = transfer
        } catch {
            job.continuation.resume(throwing: error)
        }
    }

    private func collect(_ active: inout [UnsafeMutableRawPointer: Transfer]) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let transfer = active[easy]
            else { continue }
            // The message is gone once its handle is removed.
            let code = message.pointee.data.result
            end(transfer, &active).finish(code)
        }
    }

    private func end(_ transfer: Transfer, _ active: inout [UnsafeMutableRawPointer: Transfer]) -> Transfer {
        curl_multi_remove_handle(multi, transfer.easy)
        active[transfer.easy] = nil
        return transfer
    }
}
