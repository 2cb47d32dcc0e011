// Package isolation is what keeps a VM apart from its host: a file system of its own, what of it a login user sees, and the rights
// that are withheld from its root.
package isolation

// AgentDir holds what belongs to the agent: its executable, the programs of shims_linux.go, sockets.
const AgentDir = "/run/.azlin"

// AgentPath is the agent's executable as processes of an isolated VM start it: through a read-only mount, so that who reaches
// /proc/PID/exe changes nothing.
const AgentPath = AgentDir + "/agent"

// Where the sockets are on which pid 1 takes requests of sudo: each user sees only the one at ownSocketDir, so
// that pid 1 knows who asks by where he asks.
const (
	OwnSocketDir   = AgentDir + "/own"
	RootSocketDir  = OwnSocketDir
	UserSocketBase = AgentDir + "/users"
	DeniedFile     = AgentDir + "/denied"
	DeniedDir      = AgentDir + "/denied.d"
)

// The directories of wire.Boot.Template.
const (
	TemplateEtc   = "etc"   // below the VM's changes to /etc
	TemplateLocal = "local" // between the host's /usr/local and the VM's changes to it
)
