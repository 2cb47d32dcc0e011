// Package az drives the emulator with the real Azure CLI: a judge that knows none of our code. Its
// test needs az on the PATH and the build tag az:
//
//	go test -tags az ./test/az
//
// Debian's az 2.45 can manage VMs in its profile 2020-09-01-hybrid only; the script says so to it.
package az
