package compute

import (
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
)

// Settle makes a VM that was just put look as if it had been there for some time. It runs, and boots
// when somebody connects; or it is deallocated. Callers hold the server's lock.
func (p *Provider) Settle(id string, age time.Duration, stopped bool) {
	vm := p.s.Find(id)
	if vm == nil {
		return
	}
	vm.Hidden["lazy"] = true
	p.s.Complete(vm.ID)
	then := p.s.Now().Add(-age)
	vm.Props()["timeCreated"] = arm.Time(then)
	vm.Created = then
	if stopped {
		p.setPower(vm, powerDeallocated)
	}
	states := []PowerEvent{{At: then, State: powerRunning}}
	if stopped {
		states = append(states, PowerEvent{At: then, State: powerDeallocated})
	}
	p.reborn(vm, states...)
	vm.Hidden["powerSince"] = then.Format(time.RFC3339Nano)
}
