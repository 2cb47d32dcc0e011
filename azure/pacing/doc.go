// Package pacing spaces and repeats requests: a budget per kind of request, the pauses that Azure asks for,
// and repeats after refusals that pass. It knows requests and answers only, not what they are about.
package pacing
