// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc

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
}
