// Package az drives the emulator with the real Azure CLI: a judge that knows none of our code. Its test needs
// az on the PATH and the build tag az:
//
//	go test -tags az -parallel 4 ./test/az
//
// Exit code 0 proves nothing: whatever az creates is shown or listed by az afterwards, and held field by field
// against the resource itself, read without az at the api-version that az asks for. The requests are recorded,
// and emulator/provenance/checked.tsv says which operations az makes (-update writes it).
//
// az is set up as `azlin emulator env --az` says. Debian's az 2.45 can manage VMs in its profile
// 2020-09-01-hybrid only; the few commands that its packaging breaks there run through az-latest, which changes
// api-versions and module paths and nothing else.
package az
