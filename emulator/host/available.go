package host

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/azlin-dev/azlin/emulator/host/guest"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// tryBoot boots and kills a VM of no consequence: the one probe that knows of every restriction.
func (r *Runtime) tryBoot() error {
	dir := filepath.Join(r.files.base, "probe")
	if err := removeTree(dir); err != nil {
		return err
	}
	if err := r.files.makeOwned(dir); err != nil {
		return err
	}
	template, err := r.files.template()
	if err != nil {
		return err
	}
	agent, err := r.files.agent()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.ctx, 30*time.Second)
	defer cancel()
	g, err := r.launcher.Boot(ctx, guest.Options{
		Boot: wire.Boot{Isolated: r.mode == Namespaces, Root: dir, Template: template, Agent: agent, Hostname: "probe"},
		UID:  r.files.uid, GID: r.files.gid,
		Console: func([]byte) {}, Power: func(bool) {},
	})
	if err != nil {
		return fmt.Errorf("emulated VMs cannot run here: %w%s", err, obstacle(r.mode))
	}
	g.Kill()
	return removeTree(dir)
}
