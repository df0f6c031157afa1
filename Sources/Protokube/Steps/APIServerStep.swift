// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// Waits until this machine's API server is ready; kubelet runs it.
struct APIServerStep: Step {
    let api: any ControlPlaneAPI

    let name = "api-server"
    let activity = "waiting for API server"
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(15)

    func converge(_ observer: any StepObserver) async throws { try await api.ready() }
}
