package logs

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
)

// Reader reads the logs of the VMs of one subscription. It changes nothing.
type Reader struct {
	VMs   *vm.Service
	Reach reach.Finder
}

// Read returns the lines of a log: Serial through Azure, any other over SSH with signIn. An absent log is NotFound. For a VM
// that is not running, any log but Serial is a Conflict.
func (r Reader) Read(ctx context.Context, i vm.Info, s Source, o Options, signIn reach.Options) ([]string, error) {
	if s == Serial {
		if err := o.serial(); err != nil {
			return nil, err
		}
		return ReadSerial(ctx, r.VMs, i.Ref, o.Lines)
	}
	client, err := r.Reach.Dial(ctx, i, signIn)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return Read(ctx, client, s, o)
}

// Follow emits the lines of a log, and then each new one, as the function Follow does; Serial is read every five seconds.
func (r Reader) Follow(ctx context.Context, i vm.Info, s Source, o Options, signIn reach.Options, emit func(line string) error) error {
	if s == Serial {
		if err := o.serial(); err != nil {
			return err
		}
		return FollowSerial(ctx, r.VMs, i.Ref, o.Lines, 0, emit)
	}
	client, err := r.Reach.Dial(ctx, i, signIn)
	if err != nil {
		return err
	}
	defer client.Close()
	return Follow(ctx, client, s, o, emit)
}

// Tools returns the progress of the installation of azlin's tools on a VM.
func (r Reader) Tools(ctx context.Context, i vm.Info, signIn reach.Options) (Installation, error) {
	client, err := r.Reach.Dial(ctx, i, signIn)
	if err != nil {
		return Installation{}, err
	}
	defer client.Close()
	return Tools(ctx, client)
}

// serial refuses options that a serial console does not support.
func (o Options) serial() error {
	if o.Since > 0 {
		return errkind.New(errkind.Invalid, "the lines of the log %q do not say when they were written: %s cannot be looked back", Serial, o.Since.Round(time.Second))
	}
	return nil
}
