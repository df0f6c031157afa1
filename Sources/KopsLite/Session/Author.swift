// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Who works, as generations remember it.
enum Author {
    /// `user@host`; the user as the environment names it.
    static func name(_ environment: [String: String]) -> String {
        let user = environment["SUDO_USER"] ?? environment["USER"] ?? environment["LOGNAME"] ?? NSUserName()
        return "\(user)@\(ProcessInfo.processInfo.hostName)"
    }
}
