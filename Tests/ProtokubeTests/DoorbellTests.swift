// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import NodeOS
import NodeTesting
import Testing

@testable import Protokube

/// Events of devices, and what they make the pipeline look at.
@Suite(.timeLimit(.minutes(1))) struct DoorbellTests {
    let fixture = Fixture()
    let bench = Bench()

    var site: EtcdPlace {
        EtcdPlace(
            etcdCluster: "main",
            nodeState: fixture.nodeState,
            clusterState: fixture.clusterState,
            finder: AnnouncementFile(node: fixture.node),
            tools: RunTests.Clean(),
            http: CurlClient(),
            now: Stopwatch(bench.clock).elapsed,
            sideline: Sideline(),
            programs: EtcdPrograms()
        )
    }

    /// A clock on which nobody wakes by himself.
    struct Standstill: Clock {
        let real = ContinuousClock()
        var now: ContinuousClock.Instant { real.now }
        var minimumResolution: Duration { real.minimumResolution }
        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
            let (never, pause) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            withExtendedLifetime(pause) {}
            throw CancellationError()
        }
    }

    @Test func aPauseEndsWhenItRings() async throws {
        let doorbell = Doorbell()
        async let pause: Void = doorbell.sleep(for: .seconds(3600), on: Standstill())
        doorbell.ring(DeviceEvent(.changed, device: "sda"))
        try await pause
        #expect(doorbell.take() == [DeviceEvent(.changed, device: "sda")])
        #expect(doorbell.take().isEmpty)
    }

    @Test func anAlarmEndsAPauseOnce() async throws {
        let doorbell = Doorbell()
        async let pause: Void = doorbell.sleep(for: .seconds(3600), on: Standstill())
        doorbell.alarm()
        try await pause
        #expect(doorbell.takeAlarm())
        #expect(!doorbell.takeAlarm())
    }

    @Test func whatIsTrueIsLookedAtAnewAfterAnAlarm() async throws {
        let doorbell = Doorbell()
        let step = ScriptedStep("etcd", clock: bench.clock) { look, _ in
            guard look == 1 else { throw CancellationError() }
            doorbell.alarm()
        }
        _ = try? await Pipeline(steps: [step], clock: bench.clock, report: bench.reporter(), doorbell: doorbell).run()
        #expect(step.times == [.zero, .zero], "without any time between")
    }

    @Test func aPauseEndsWithItsTask() async throws {
        let doorbell = Doorbell()
        let pause = Task { try await doorbell.sleep(for: .seconds(3600), on: Standstill()) }
        pause.cancel()
        await #expect(throws: CancellationError.self) { try await pause.value }
    }

    @Test func whatNobodyAsksForDoesNotPileUp() {
        let doorbell = Doorbell()
        for _ in 0..<10_000 { doorbell.ring(DeviceEvent(.changed)) }
        let events = doorbell.take()
        #expect(events.count <= 256 && events.contains(DeviceEvent(.missed)))
    }

    @Test func aStepThatWaitsIsLookedAtWhenADeviceComes() async throws {
        let doorbell = Doorbell()
        let step = HearingStep(
            ScriptedStep("volume", clock: bench.clock) { look, _ in
                if look == 1 { doorbell.ring(DeviceEvent(.changed)) }
                if look < 2 { throw PipelineTests.failure(.waiting) }
            }
        )
        let running = Pipeline(steps: [step], clock: bench.clock, report: bench.reporter(), doorbell: doorbell)
        #expect(try await running.runOnce() == .converged)
        #expect(step.scripted.times == [.zero, .zero], "without any time between")
    }

    @Test(arguments: [Failure.Class.permanent, .transient])
    func aStepThatHasFailedIsNotRungAwake(kind: Failure.Class) async throws {
        let doorbell = Doorbell()
        let step = HearingStep(
            ScriptedStep("volume", clock: bench.clock) { look, _ in
                // What a repair that fails does to the device is an event itself.
                doorbell.ring(DeviceEvent(.changed))
                if look < 5 { throw PipelineTests.failure(kind) }
                throw CancellationError()
            }
        )
        let running = Pipeline(steps: [step], clock: bench.clock, report: bench.reporter(), doorbell: doorbell)
        _ = try? await running.run()
        #expect(zip(step.scripted.times, step.scripted.times.dropFirst()).allSatisfy { $1 - $0 >= .milliseconds(500) })
    }

    @Test func volumesHearOfWhatConcernsThem() async throws {
        let (volume, growth) = (VolumeStep(site: site), VolumeGrowthStep(site: site))
        for kind in [DeviceEvent.Kind.changed, .resized, .gone, .missed] {
            #expect(volume.concerns(DeviceEvent(kind), isTrue: false))
            #expect(volume.concerns(DeviceEvent(kind), isTrue: true) == (kind == .gone))
            #expect(growth.concerns(DeviceEvent(kind), isTrue: true) == (kind == .resized || kind == .missed))
        }
        let missing = Failure(.waiting, code: "volume-not-found", "it is not there")
        #expect(volume.poll(after: missing) == .seconds(5), "the kernel tells, so this is only for where it does not")
        #expect(volume.poll(after: Failure(.waiting, code: "not-sealed", "not yet")) == nil)
    }
}

/// A scripted step that every event concerns.
private struct HearingStep: Step {
    let scripted: ScriptedStep
    init(_ scripted: ScriptedStep) { self.scripted = scripted }
    var name: String { scripted.name }
    var activity: String { scripted.activity }
    var patience: Duration { scripted.patience }
    var cadence: Duration { scripted.cadence }
    func concerns(_ event: DeviceEvent, isTrue: Bool) -> Bool { true }
    func converge(_ observer: any StepObserver) async throws { try await scripted.converge(observer) }
}
