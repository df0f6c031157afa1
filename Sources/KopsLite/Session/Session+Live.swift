// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Session {
    /// The session of the program itself.
    static func live() -> Session {
        Session(
            console: .standard,
            environment: ProcessInfo.processInfo.environment,
            clock: ContinuousClock(),
            now: { Date() },
            readFile: { path in try InputFile.read(path) },
            openStore: { url in throw CommandFailure("the state store \(url) cannot be opened by this build") },
            cloud: { name in throw CommandFailure("the cloud \(name) is not part of this build") },
            kubeAPI: { _, _ in throw CommandFailure("the API server cannot be reached by this build") },
            adminCredentials: { _, _, _ in throw CommandFailure("this build issues no certificates") },
            update: { _, _ in throw CommandFailure("this build updates no clusters") }
        )
    }
}
