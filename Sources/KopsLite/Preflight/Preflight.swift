// SPDX-License-Identifier: Apache-2.0
import Fetch
import Foundation
import KopsModel
import NodeOS
import StateStore

/// Tries what a cluster's machines will do before there is any: every read and write of each role, every download.
struct Preflight {
    /// What was tried, and how it went.
    struct Check: Equatable {
        var subject: String
        /// `nil` when it went well.
        var failure: Reason?
        /// What a success says.
        var note = "ok"
    }

    /// Why a check failed.
    struct Reason: Equatable {
        var code: String
        var message: String
        var hint: String
    }

    /// How a role reaches the store.
    struct RoleStore {
        var store: any StateStore
        /// Whether it is the machines' own credentials, and not the operator's, narrowed.
        var isOwn: Bool
    }

    let repository: ClusterRepository
    let cluster: ResolvedCluster
    let http: any HTTPClient
    let now: @Sendable () -> Date
    /// The store as a machine reaches it.
    let storeOf: @Sendable (ResolvedMachine) throws -> RoleStore

    /// Tries everything; what depends on something that failed is left out.
    func run() async -> [Check] {
        var checks = await storeChecks()
        // One machine stands for its group: what a group's machines may do differs in the machine's own name only.
        for group in cluster.groups {
            guard let machine = cluster.machines(of: group).first else { continue }
            checks += await machineChecks(machine)
        }
        return checks + (await assetChecks())
    }

    private var layout: ClusterLayout { ClusterLayout(clusterName: cluster.name) }

    private func storeChecks() async -> [Check] {
        var checks = [
            await check("store \(repository.store.url)") {
                _ = try await repository.store.read(layout.cluster())
            }
        ]
        if let clock = await clockCheck() { checks.append(clock) }
        return checks
    }

    /// The store's server tells the time with every answer; signatures are refused when clocks differ by minutes.
    private func clockCheck() async -> Check? {
        guard let endpoint = Self.endpoint(of: repository.store.url) else { return nil }
        let subject = "clock against \(endpoint)"
        guard let response = try? await http.send(HTTPRequest(method: "HEAD", url: endpoint)),
            let text = response.headers.first(where: { $0.name == "date" })?.value,
            let date = Self.httpDate.date(from: text)
        else { return Check(subject: subject, note: "its server does not tell the time") }
        let skew = Int(now().timeIntervalSince(date).rounded())
        guard abs(skew) <= Self.tolerance else {
            return Check(
                subject: subject,
                failure: Reason(
                    code: "clock-skewed",
                    message: "this machine's clock is \(abs(skew)) s \(skew < 0 ? "behind" : "ahead")",
                    hint: "synchronize it (timedatectl set-ntp true); the store refuses signatures that are minutes off"
                )
            )
        }
        return Check(subject: subject, note: "ok, \(skew) s apart")
    }

    /// RFC 9110, section 5.6.7.
    private static var httpDate: DateFormatter {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return formatter
    }

    /// In seconds; S3 refuses a quarter of an hour.
    private static let tolerance = 300

    private func machineChecks(_ machine: ResolvedMachine) async -> [Check] {
        let prefix = "\(machine.role.rawValue) (\(machine.name))"
        let reached: RoleStore
        do { reached = try storeOf(machine) } catch { return [Check(subject: prefix, failure: Self.reason(error))] }
        let who = reached.isOwn ? prefix : "\(prefix), by the operator's credentials within the role's access"
        let trial = RoleTrial(
            store: reached.store,
            machine: machine,
            layout: layout,
            trust: await trust(),
            readerKey: try? await repository.keyringPlace(of: cluster.name).existing().key(
                of: SecretReader(machine.role)
            )
        )
        var checks: [Check] = []
        for (name, attempt) in trial.attempts {
            checks.append(await check("\(who): \(name)", attempt))
        }
        return checks
    }

    /// By the keyring; none means that nothing is believed, as on a machine.
    private func trust() async -> [TrustedKey] {
        (try? await repository.keyringPlace(of: cluster.name).existing().trust) ?? []
    }

    private func assetChecks() async -> [Check] {
        let inventory = AssetInventory(cluster: cluster, http: http)
        let lock: AssetLock
        do { lock = try await inventory.lock() } catch {
            return [Check(subject: "file repository", failure: Self.reason(error))]
        }
        var checks: [Check] = []
        for entry in lock.assets {
            for source in entry.sources {
                checks.append(
                    await check("asset \(entry.name) at \(source)") { try await probe(source, size: entry.size) }
                )
            }
        }
        return checks
    }

    /// Asks for a file's first byte only; its length is compared with the lock file's.
    private func probe(_ source: String, size: Int64?) async throws {
        if source.hasPrefix("file://") {
            let path = URL(string: source)?.path ?? ""
            let found = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int64
            guard let found else {
                throw FetchError(.permanent, code: "file-missing", "\(path) is not there", hint: "put the file there")
            }
            return try Self.compare(found, with: size, at: source)
        }
        let response = try await http.send(HTTPRequest(method: "HEAD", url: source))
        guard (200..<300).contains(response.status) else {
            throw FetchError.status(response.status, method: "HEAD", url: source, headers: response.headers)
        }
        guard let length = response.headers.last(where: { $0.name == "content-length" }).flatMap({ Int64($0.value) })
        else { return }
        try Self.compare(length, with: size, at: source)
    }

    private static func compare(_ found: Int64, with size: Int64?, at source: String) throws {
        guard let size, size != found else { return }
        throw FetchError(
            .permanent,
            code: "asset-size-mismatch",
            "\(source) has \(found) bytes, the lock file says \(size)",
            hint: "correct the mirror, or its lock file"
        )
    }

    private func check(_ subject: String, _ attempt: () async throws -> Void) async -> Check {
        do {
            try await attempt()
            return Check(subject: subject)
        } catch {
            return Check(subject: subject, failure: Self.reason(error))
        }
    }

    static func reason(_ error: any Error) -> Reason {
        switch error {
        case let error as StoreError: Reason(code: error.code, message: error.description, hint: error.hint ?? "")
        case let error as GenerationError: Reason(code: error.code, message: error.description, hint: error.hint ?? "")
        case let error as KeyringError: Reason(code: error.code, message: error.description, hint: error.hint)
        case let error as FetchError: Reason(code: error.code, message: error.message, hint: error.hint ?? "")
        case let error as Failure: Reason(code: error.code, message: error.chain, hint: error.hint ?? "")
        default: Reason(code: "unexpected", message: CommandFailure.lines(of: error).joined(separator: "; "), hint: "")
        }
    }

    /// The server behind a store's URL; `nil` for a directory.
    private static func endpoint(of url: String) -> String? {
        if let components = URLComponents(string: url),
            let endpoint = components.queryItems?.first(where: { $0.name == "endpoint" })?.value
        {
            return endpoint
        }
        if url.hasPrefix("https://") || url.hasPrefix("http://") { return url }
        switch BucketLocation(url: url)?.scheme {
        case "s3": return "https://s3.amazonaws.com"
        case "gs": return "https://storage.googleapis.com"
        default: return nil
        }
    }
}
