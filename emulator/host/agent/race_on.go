//go:build race

package agent

// shimEnvironment is what the stand-ins are run with: a program with the race detector would otherwise stay for a
// second after each run.
const shimEnvironment = "GORACE=atexit_sleep_ms=0 "
