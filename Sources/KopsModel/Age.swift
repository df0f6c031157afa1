// SPDX-License-Identifier: Apache-2.0

/// How people say how old something is.
public enum Age {
    /// Seconds in the largest unit of which there are at least two: `90s`, `45m`, `30h`, `12d`.
    public static func text(_ seconds: Double) -> String {
        let seconds = Int(max(0, seconds))
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3600)h"
        default: return "\(seconds / 86_400)d"
        }
    }
}
