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

// Read returns the lines of a log: of Serial through Azure, of any other over SSH, signed in as signIn says. The log that
// is not there is NotFound; of a VM that does not run only Serial can be read, any other is a Conflict.
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

// Follow hands over the lines of a log, and then each new one, as the function Follow does; Serial is asked for every five
// seconds.
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

// Tools returns how far the installation of azlin's tools has come on a VM.
func (r Reader) Tools(ctx context.Context, i vm.Info, signIn reach.Options) (Installation, error) {
	client, err := r.Reach.Dial(ctx, i, signIn)
	if err != nil {
		return Installation{}, err
	}
	defer client.Close()
	return Tools(ctx, client)
}

// serial refuses what cannot be asked of a serial console.
func (o Options) serial() error {
	if o.Since > 0 {
		return errkind.New(errkind.Invalid, "the lines of the log %q do not say when they were written: %s cannot be looked back", Serial, o.Since.Round(time.Second))
	}
	return nil
}
