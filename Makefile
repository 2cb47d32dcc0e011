# Every target installs what it needs, or prints the line that does.
.PHONY: release demo build test race live bench torture lint docs install prerequisites

build:
	CGO_ENABLED=0 go build -trimpath -o bin/azlin ./cmd/azlin

# The main job from nothing: a VM, a clone, a tmux session, and everything deleted again.
demo: prerequisites build
	./test/demo.sh

test: prerequisites
	./test/run.sh

# Every test under the race detector, those that start processes as well.
race: prerequisites
	./test/run.sh --race

# The conformance cases against a real subscription (AZURE_SUBSCRIPTION_ID, AZURE_TENANT_ID), in a group of
# their own that is deleted again. A VM and two Bastions are made, one after the other: about half an hour, and less than
# a dollar.
live:
	go test -tags live -count=1 -timeout 2h -run TestAzure -v ./test/conformance

bench: prerequisites build
	./test/bench.sh

# Hundreds of kills and faults; hours, never in CI.
torture: prerequisites
	go test -tags torture -timeout 12h -count=1 -run Torture ./...

lint:
	./test/lint.sh

# Generates docs/reference, docs/fidelity.md and the shell completions.
docs:
	go run ./cmd/azlin/docgen docs

# Archives, packages, checksums and a Homebrew formula for the checked-out commit, in dist/. Publishes nothing.
release:
	go run ./cmd/azlin/release

install:
	CGO_ENABLED=0 go install -trimpath ./cmd/azlin

prerequisites:
	@./test/prerequisites.sh
