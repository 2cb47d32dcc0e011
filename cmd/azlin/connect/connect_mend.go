package connect

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// mender does something about what keeps a VM from being reached, after having asked. It asks once about each thing.
type mender struct {
	waiting

	session *app.Session
	vm      vm.Match
	flags   Flags
	started bool                  // it was asked about
	from    map[netip.Prefix]bool // the addresses that were asked about
}

func (a Commands) mender(s *app.Session, match vm.Match, flags Flags) *mender {
	return &mender{waiting: waiting{app: a}, session: s, vm: match, flags: flags, from: map[netip.Prefix]bool{}}
}

// diagnose looks for what waiting does not mend.
func (m *mender) diagnose(ctx context.Context, h remote.Host) error {
	if h.Via != nil { // a Bastion admits whoever Azure admits
		return nil
	}
	err := m.session.Operator.Check(ctx, m.vm.VM.Name, m.vm.VM.NICs)
	if _, refused := errors.AsType[*network.NotAdmitted](err); refused {
		return err
	}
	if err != nil {
		m.app.Log.Debug("the security groups could not be checked", "err", err)
	}
	return nil
}

// mend does something about a problem, or returns it.
func (m *mender) mend(ctx context.Context, problem error) error {
	m.quiet()
	if m.session.Context.ReadOnly && !m.flags.yes { // whatever the answer, nothing would be sent
		return problem
	}
	if refusal, ok := errors.AsType[*network.NotAdmitted](problem); ok {
		problem = &errkind.Error{Err: refusal, Next: errkind.Step{Action: errkind.AdmitMe, VM: m.vm.VM.Name}}
		if !m.from[refusal.Source] {
			m.from[refusal.Source] = true
			return m.admit(ctx, refusal, problem)
		}
	}
	if errors.Is(problem, reach.ErrStopped) && !m.started {
		m.started = true
		return m.start(ctx, problem)
	}
	return problem
}

// start starts the VM.
func (m *mender) start(ctx context.Context, problem error) error {
	i := m.vm.VM
	if !m.flags.yes {
		if !m.app.Streams.InTTY {
			return problem
		}
		m.discardTyped()
		if err := m.app.Streams.Confirm(ctx, fmt.Sprintf("%s is stopped. Start it?", i.Name)); err != nil {
			return declined(err, problem)
		}
	}
	return m.app.Showing("start", "starting "+i.Name, func(func(string)) error {
		_, err := m.session.VMs.Start(ctx, i.Ref, vm.PowerOptions{})
		return err
	})
}

// admit moves the operator's rule.
func (m *mender) admit(ctx context.Context, refusal *network.NotAdmitted, problem error) error {
	switch {
	case !refusal.Writable || m.flags.yes: // the launcher says why it does not
	case !m.app.Streams.InTTY:
		return problem
	default:
		m.app.Say("azlin: " + refusal.Error())
		m.discardTyped()
		if err := m.app.Streams.Confirm(ctx, fmt.Sprintf("Move your rule to %s?", refusal.Source)); err != nil {
			return declined(err, problem)
		}
	}
	if err := m.session.Operator.Admit(ctx, refusal); err != nil {
		return err
	}
	m.app.Say(fmt.Sprintf("your rule admits %s now", refusal.Source))
	return nil
}

// declined is the problem when a person does not want it mended, and the failure when the question failed.
func declined(err, problem error) error {
	if errors.Is(err, term.ErrDeclined) {
		return problem
	}
	return err
}
