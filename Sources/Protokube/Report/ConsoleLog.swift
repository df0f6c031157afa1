// SPDX-License-Identifier: Apache-2.0
import Logging
import NodeOS

/// Log lines for the journal, which adds the time and takes the level from the prefix (sd-daemon(3)).
struct ConsoleLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
            .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        let text = "\(event.message)\(fields.isEmpty ? "" : " (\(fields))")"
        // One record is one line, whatever a server put into its message.
        Console.error("<\(Self.priority(event.level))>" + Console.line(text))
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
