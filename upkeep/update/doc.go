// Package update updates the tools and packages of VMs.
// An update is a job of the VM: it is started over SSH and continues when the connection ends. Requesting the same update
// again joins the running one, or reports how it ended.
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

// ErrUpdate is the class of this package's failures.
var ErrUpdate = errors.New("update failed")

// Default timeouts per VM.
const (
	DefaultTimeout       = 300 * time.Second // for its tools
	DefaultSystemTimeout = 600 * time.Second // for its packages
)

// Packages is the name of the system's packages among the tools.
const Packages = cloudinit.PackagesName

// Updater updates VMs over SSH.
type Updater struct {
	Reach      reach.Finder
	Operations change.Store // records running updates until their end was read; without a directory there are no records
}

// Options of one update. The zero value is ready for use.
type Options struct {
	// Tools are the names of what to update, from cloudinit.Tools and Packages; a named one that the VM lacks is a failure.
	// Nil: all the VM's tools, and the packages. System and Systems accept no names, because they update the packages only.
	Tools   []string
	Timeout time.Duration // for each VM; zero: DefaultTimeout, or DefaultSystemTimeout

	SSH reach.Options // how to sign in; the user must be allowed to use sudo without a password

	// Report is called from several goroutines whenever a VM's progress changes; nil: nobody.
	Report func(Progress)
}

// systemOnly refuses options that do not apply to the system's packages.
func (o Options) systemOnly() error {
	if o.Tools != nil {
		return errkind.New(errkind.Invalid, "an update of the system's packages takes no tools")
	}
	return nil
}

// job is the update to run on the VM.
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

// Progress is the progress of one VM.
type Progress struct {
	vm.Ref

	Done    int
	Total   int    // of what was requested; some may not be installed
	Current string // what is being updated; empty: nothing at the moment
	Lost    error  // why the connection was lost, during a reconnect; nil: connected
}

// Tool is the result of one tool.
type Tool struct {
	Name   string
	Before string // its version; empty: unknown. For Packages: the number of outdated ones
	After  string // as Before
	Kept   bool   // skipped: neither apt nor pipx installed it
	Err    error  // with the last lines of output
}

// Result is the result of one VM.
type Result struct {
	vm.Ref

	Success  bool
	Tools    []Tool
	Restart  bool          // the VM must be restarted to use all of it
	Joined   bool          // reports an update started earlier
	Duration time.Duration // of the call
	Output   string        // all output of the steps, at most the last MiB; empty: not read
	Err      error         // nil when everything succeeded
}

// Summary is the result of several VMs, in the order in which they were passed.
type Summary struct {
	Total     int
	Succeeded int
	Failed    int
	Results   []Result
}

// Summarize counts the results.
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
