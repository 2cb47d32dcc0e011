// Package emulator is a local Azure: an HTTP handler that speaks the wire protocol of Azure Resource
// Manager and Microsoft Entra ID, and, where it is given a host runtime, VMs that answer SSH.
//
// New makes one for tests and programs; it works in-process (Client) and inside a testing/synctest
// bubble, where operations of minutes take no time. Start, Serve, Read and Stop run one as a daemon
// behind TLS on a loopback address.
//
// It refuses what Azure refuses. What it does not emulate it answers with 501 and a message that names
// the route. Where the shape of each answer comes from stands in package provenance.
package emulator
