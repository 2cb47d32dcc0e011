package errkind

// Action is a kind of next step. The zero value suggests nothing.
type Action string

// The actions that azlin suggests. Each lists the fields of Step it uses; empty ones are left to the user.
const (
	Run Action = "run" // run Command, the command line of another program or of the caller's own

	CreateVM   Action = "create-vm"   // create VM in Group, or resume its creation
	CloneVM    Action = "clone-vm"    // clone VM of Group Count times under Name, or resume that
	ShowVM     Action = "show-vm"     // show the state of VM
	ListVMs    Action = "list-vms"    // list the VMs
	StartVM    Action = "start-vm"    // start VM
	StopVM     Action = "stop-vm"     // deallocate VM
	RestartVM  Action = "restart-vm"  // restart VM
	DeleteVM   Action = "delete-vm"   // delete VM of Group with what belongs to it
	ResizeVM   Action = "resize-vm"   // change the size of VM of Group to Name, or resume that
	ConnectVM  Action = "connect-vm"  // connect to VM and verify its host key
	AdmitMe    Action = "admit-me"    // let VM's security group admit the operator's current address
	ReadLog    Action = "read-log"    // read the log Name of VM
	ExecOnVM   Action = "exec-on-vm"  // run Command on VM
	JoinTmux   Action = "join-tmux"   // join the tmux session Name on VM with a command of the user's, because azlin cannot use that name
	WriteHosts Action = "write-hosts" // write the configuration of ssh once Name was moved away

	UpdateTools  Action = "update-tools"  // update the tools Name (separated by commas; empty: all) of VM, or resume that
	UpdateSystem Action = "update-system" // update the packages of VM's system, or resume that

	ListKeys   Action = "list-keys"   // list the SSH keys and the VMs that accept them
	ListCopies Action = "list-copies" // list the copies of rotated keys
	RotateKeys Action = "rotate-keys" // resume the rotation of keys
	PushKey    Action = "push-key"    // rotate the key of VM through Azure's agent instead of SSH

	ListOperations  Action = "list-operations"  // list unfinished operations
	ResumeOperation Action = "resume-operation" // resume the unfinished operation Name
	ForgetOperation Action = "forget-operation" // forget the unfinished operation Name

	ListRegions     Action = "list-regions"     // list the regions
	ListSizes       Action = "list-sizes"       // list the sizes of Region
	ListMarketplace Action = "list-marketplace" // list the marketplace images of Region, of the publisher Name
	ListImages      Action = "list-images"      // list the baked images
	BakeImage       Action = "bake-image"       // bake the image Name from VM of Group with a temporary VM of Size, or resume that
	DeleteImage     Action = "delete-image"     // delete the image Name of Group
	ListTemplates   Action = "list-templates"   // list the VM templates
	CreateBastion   Action = "create-bastion"   // create a Bastion in the network Name of Group
	CloseTunnel     Action = "close-tunnel"     // close the tunnel Name

	ShowPermissions Action = "show-permissions" // show the permissions that the signed-in identity has and lacks
	SignInByCode    Action = "sign-in-by-code"  // sign in again with a device code
	SignOut         Action = "sign-out"         // remove the stored sign-ins
	EditConfig      Action = "edit-config"      // edit the configuration
)

// Step is a suggested next step: an action and its parameters. A program can switch on the action; the command line turns it
// into a command. The zero value suggests nothing.
type Step struct {
	Action  Action `json:"action"`
	VM      string `json:"vm,omitempty"`
	Group   string `json:"group,omitempty"` // the resource group
	Region  string `json:"region,omitempty"`
	Name    string `json:"name,omitempty"`    // name of another object of the action
	Size    string `json:"size,omitempty"`    // of a VM
	Count   int    `json:"count,omitempty"`   // of clones; 0: one
	Command string `json:"command,omitempty"` // a command line in shell syntax
}

// IsZero reports whether s suggests nothing.
func (s Step) IsZero() bool { return s.Action == "" }

// Next is the step of the outermost error in err's tree that has one; zero: none.
func Next(err error) Step {
	for e := range All(err) {
		if !e.Next.IsZero() {
			return e.Next
		}
	}
	return Step{}
}
