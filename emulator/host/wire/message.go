package wire

// Boot is the first message an agent gets: what the VM is.
type Boot struct {
	Isolated   bool   // namespaces; false: plain directories and the emulator's own user
	Root       string // the VM's directory on the host, owned by the VM's user id
	Template   string // what all VMs see below their own changes: the host's /etc without what is secret, stand-ins
	Agent      string // the agent's executable, where the VM's user id can reach it
	Hostname   string
	InstanceID string // cloud-init runs its per-instance stages once for each
	AdminUser  string
	AdminKeys  []string
	UserData   []byte
	HostKeys   []HostKey
}

// HostKey is an SSH host key as it stands in /etc/ssh.
type HostKey struct {
	Type    string // ed25519, ecdsa, rsa
	Private string `json:",omitempty"` // PEM
	Public  string // one line of authorized_keys form
}

// Notice is what an agent tells without being asked.
type Notice struct {
	Console []byte `json:",omitempty"` // a piece of the serial console's output
	Ready   bool   `json:",omitempty"` // the boot went as far as sshd

	HostKeys []HostKey `json:",omitempty"` // with Ready: the keys that sshd shows, from /etc/ssh
	Done     bool      `json:",omitempty"` // cloud-init has finished
	Err      string    `json:",omitempty"` // the boot failed
	Reboot   bool      `json:",omitempty"` // root asked for a reboot
	Halt     bool      `json:",omitempty"` // root asked for a shutdown
}

// Route opens a call: the call's socket travels with it.
type Route struct {
	User string // whose agent is to serve it; empty: root's
}

// The operations of a Request.
const (
	OpExec   = "exec"   // run a command
	OpKeys   = "keys"   // read the user's authorized_keys
	OpListen = "listen" // make a Unix socket and pass on its connections
	OpDial   = "dial"   // connect to a Unix socket
	OpUser   = "user"   // create a user or replace its keys (root only)
	OpNote   = "note"   // append lines to /var/log/auth.log (root only)
	OpReboot = "reboot" // root only
	OpHalt   = "halt"   // root only
)

// Request is the first message of a call.
type Request struct {
	Op    string
	Exec  *Exec    `json:",omitempty"`
	Path  string   `json:",omitempty"` // OpDial; OpListen, empty: a fresh name in /tmp
	User  string   `json:",omitempty"` // OpUser, OpNote
	Keys  []string `json:",omitempty"` // OpUser
	Notes []string `json:",omitempty"` // OpNote
}

// Exec says what to run. Its standard streams travel with the request unless it has a terminal.
type Exec struct {
	Argv     []string  `json:",omitempty"` // run as it is
	Command  string    `json:",omitempty"` // or: a command line for the user's shell
	Login    bool      `json:",omitempty"` // or: the user's shell as a login shell
	SFTP     bool      `json:",omitempty"` // or: the sftp subsystem
	Env      []string  `json:",omitempty"` // added to the environment of a login
	Dir      string    `json:",omitempty"` // default: home
	Terminal *Terminal `json:",omitempty"`
	Streams  []int     `json:",omitempty"` // with a terminal: which of 0, 1, 2 travel all the same
}

// Terminal asks for a pseudo terminal.
type Terminal struct {
	Name  string // TERM
	Size  Size
	Modes []byte `json:",omitempty"` // encoded as in RFC 4254, section 8
}

// Size is a terminal's size in characters.
type Size struct {
	Rows, Columns uint16
}

// Control is what the asking end sends while a command runs.
type Control struct {
	Signal string // without SIG
}

// Event is what an agent answers on a call.
type Event struct {
	Err       string `json:",omitempty"`
	NotFound  bool   `json:",omitempty"` // the error is: no such user or file
	Started   bool   `json:",omitempty"` // a terminal's master side travels with it
	Exit      *Exit  `json:",omitempty"`
	Keys      []byte `json:",omitempty"`
	Path      string `json:",omitempty"` // OpListen: the socket's name
	Connected bool   `json:",omitempty"` // OpListen, OpDial: a connection travels with it
}

// Exit is how a command ended: by its code, or by a signal.
type Exit struct {
	Code   int
	Signal string `json:",omitempty"` // without SIG
	Core   bool   `json:",omitempty"`
}
