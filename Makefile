# One word per chore. `make demo` and `make test` are all a newcomer needs; both install what is missing.
SHELL := /bin/bash
KOPSLITE_CACHE ?= /var/cache/kopslite
export KOPSLITE_CACHE

SCHEDULES ?= 100000
STRICT := -Xswiftc -warnings-as-errors
RELEASE := -c release --static-swift-stdlib -Xswiftc -Osize -Xswiftc -Xfrontend -Xswiftc -function-sections \
	-Xlinker --gc-sections -Xlinker --no-export-dynamic -Xlinker -s $(STRICT)

.PHONY: build release test unit e2e check fuzz sim bench fmt demo demo-down assets prerequisites clean

build: prerequisites
	swift build $(STRICT)

release: prerequisites
	@echo "building kopslite, nodeup and protokube (release; minutes the first time)"
	swift build $(RELEASE)
	@packaging/publish .build/release $(KOPSLITE_CACHE)/assets

assets: prerequisites
	@packaging/assets/build

test: check unit e2e

unit: prerequisites
	@packaging/test-servers > /dev/null
	swift build --build-tests $(STRICT)
	swift test --skip-build --experimental-maximum-parallelization-width 4

e2e: release assets
	@Tests/e2e/run

check: prerequisites
	@packaging/check

fuzz: prerequisites
	@Tests/fuzz/run

# The etcd manager among faults: first without each safety rule in turn, then with all of them.
sim: prerequisites
	swift build $(RELEASE) --product SimulateEtcd
	.build/release/SimulateEtcd --mutations --schedules 20000
	.build/release/SimulateEtcd --schedules $(SCHEDULES)

bench: release assets
	@bench/run
	@bench/state
	@bench/etcd

fmt:
	swift format --in-place --recursive Sources Tests Package.swift

# make hands on what its command line says, such as STATE=s3 and CONTROL_PLANE=3.
demo: release assets
	@examples/demo

demo-down: prerequisites
	@examples/demo-down

prerequisites:
	@packaging/prerequisites

clean:
	rm -rf .build
