//go:build !race

package agent

// shimEnvironment is what the stand-ins are run with.
const shimEnvironment = ""
