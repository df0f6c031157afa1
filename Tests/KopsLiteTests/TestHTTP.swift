// SPDX-License-Identifier: Apache-2.0
import Fetch
import StateStore

/// A network that nothing is on.
struct NoHTTP: HTTPClient {
    func send(_ request: HTTPRequest) throws -> HTTPResponse {
        throw FetchError(.transient, code: "connection-refused", "\(request.url) is not there")
    }
}

/// A file repository that has every file of a release.
struct RepositoryHTTP: HTTPClient {
    static let url = "http://10.0.0.1/files"

    func send(_ request: HTTPRequest) throws -> HTTPResponse {
        guard request.url.hasPrefix(Self.url), request.url.hasSuffix(".sha256") else {
            return HTTPResponse(status: 404)
        }
        // Any digest will do, as long as each path has its own.
        let digest = ObjectVersion.digest(of: Array(request.url.utf8)).text
        return HTTPResponse(status: 200, body: Array("\(digest)\n".utf8))
    }
}
