// Package update brings the tools and the packages of VMs up to date.
//
// An update is a job of the VM: it is started over SSH and goes on when that connection ends. Whoever asks for the same
// update again finds it under way, or how it ended.
package update

import (
	"errors"
	"time"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// ErrUpdate is the class of failures of updates.
var ErrUpdate = errors.New("update failed")

// How long a VM may take.
const (
	DefaultTimeout       = 300 * time.Second // for its tools
	DefaultSystemTimeout = 600 * time.Second // for its packages
)

// Packages is the name of the system's packages among the tools.
const Packages = cloudinit.PackagesName

// Updater updates VMs over SSH.
type Updater struct {
	Reach      reach.Finder
	Operations change.Store // remembers, until the end was read, that an update goes on; without a directory nobody does
}

// Options of one update. The zero value is ready.
type Options struct {
	// Tools are the names of what is updated, of cloudinit.Tools and Packages; one that the VM does not have is a failure.
	// Nil: all the tools that the VM has, and the packages. System and Systems refuse any: they are about the packages.
	Tools   []string
	Timeout time.Duration // for each VM; zero: DefaultTimeout, or DefaultSystemTimeout

	SSH reach.Options // how to sign in; the user must be allowed to use sudo without a password

	// Report is told how far a VM has come, whenever that changes, from several goroutines; nil: nobody is.
	Report func(Progress)
}

// systemOnly refuses what has no meaning for the packages of a system.
func (o Options) systemOnly() error {
	if o.Tools != nil {
		return errkind.New(errkind.Invalid, "an update of the system's packages takes no tools")
	}
	return nil
}

// job is what a VM is asked to do.
func (o Options) job() (cloudinit.Update, error) {
	if o.Tools == nil {
		return cloudinit.Update{Tools: cloudinit.Tools(), System: true}, nil
	}
	u := cloudinit.Update{Asked: true}
	names := []string{}
	for _, name := range o.Tools {
		if name == Packages {
			u.System = true
			continue
		}
		names = append(names, name)
	}
	var err error
	if u.Tools, err = cloudinit.SelectTools(names); err == nil && len(u.Plan()) == 0 {
		err = errkind.New(errkind.Invalid, "no tool is named")
	}
	return u, err
}

// Progress is how far one VM has come.
type Progress struct {
	vm.Ref

	Done    int
	Total   int    // of what was asked for; some of it may not be there
	Current string // what is being updated; empty: nothing is for the moment
	Lost    error  // why the connection was lost, while another one is tried; nil: there is one
}

// Tool is what became of one tool.
type Tool struct {
	Name   string
	Before string // its version; empty: not known. Of Packages: how many were behind
	After  string // as Before
	Kept   bool   // it was left alone: neither apt nor pipx installed it
	Err    error  // with the last lines of what was said
}

// Result is what became of one VM.
type Result struct {
	vm.Ref

	Success  bool
	Tools    []Tool
	Restart  bool          // the VM must be restarted for all of it to be in use
	Joined   bool          // an update that was begun before was gone on with, or its end was told
	Duration time.Duration // of the call
	Output   string        // all that the steps printed, at most its last MiB; empty: not read
	Err      error         // nil when all went well
}

// Summary is what became of several VMs, in the order in which they were given.
type Summary struct {
	Total     int
	Succeeded int
	Failed    int
	Results   []Result
}

// Summarize counts.
func Summarize(results []Result) Summary {
	s := Summary{Total: len(results), Results: results}
	for _, r := range results {
		if r.Success {
			s.Succeeded++
		} else {
			s.Failed++
		}
	}
	return s
}
