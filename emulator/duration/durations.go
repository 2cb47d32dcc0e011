// Package duration says how long operations take, as in Azure or nearly nothing.
package duration

import "time"

// Duration is how long an operation of a kind takes. The realistic column is what Azure takes as a
// rule; hosts add the time that they boot.
func Duration(kind string, realistic bool) time.Duration {
	d := struct{ fast, real time.Duration }{20 * time.Millisecond, 5 * time.Second}
	switch kind {
	case "vm.create":
		d.fast, d.real = 60*time.Millisecond, 45*time.Second
	case "vm.update":
		d.fast, d.real = 30*time.Millisecond, 8*time.Second
	case "vm.delete":
		d.fast, d.real = 40*time.Millisecond, 45*time.Second
	case "vm.start":
		d.fast, d.real = 40*time.Millisecond, 30*time.Second
	case "vm.powerOff":
		d.fast, d.real = 30*time.Millisecond, 20*time.Second
	case "vm.deallocate":
		d.fast, d.real = 40*time.Millisecond, 40*time.Second
	case "vm.restart":
		d.fast, d.real = 30*time.Millisecond, 25*time.Second
	case "vm.redeploy":
		d.fast, d.real = 50*time.Millisecond, 150*time.Second
	case "vm.reapply":
		d.fast, d.real = 30*time.Millisecond, 10*time.Second
	case "vm.runcommand":
		d.fast, d.real = 20*time.Millisecond, 20*time.Second
	case "extension.put":
		d.fast, d.real = 30*time.Millisecond, 25*time.Second
	case "extension.delete":
		d.fast, d.real = 20*time.Millisecond, 20*time.Second
	case "disk.put":
		d.fast, d.real = 15*time.Millisecond, 2*time.Second
	case "disk.delete":
		d.fast, d.real = 15*time.Millisecond, 2*time.Second
	case "gallery.put":
		d.fast, d.real = 15*time.Millisecond, 4*time.Second
	case "gallery.delete":
		d.fast, d.real = 15*time.Millisecond, 15*time.Second
	case "galleryversion.put":
		d.fast, d.real = 40*time.Millisecond, 4*time.Minute
	case "prompt.put":
		d.fast, d.real = 0, 0
	case "network.put":
		d.fast, d.real = 10*time.Millisecond, 2*time.Second
	case "network.delete", "subnet.delete", "rule.delete", "peering.delete":
		d.fast, d.real = 10*time.Millisecond, 8*time.Second
	case "storage.put":
		d.fast, d.real = 20*time.Millisecond, 17*time.Second
	case "bastion.put":
		d.fast, d.real = 20*time.Millisecond, 7*time.Minute
	case "bastion.delete":
		d.fast, d.real = 20*time.Millisecond, 8*time.Minute
	case "group.delete":
		d.fast, d.real = 60*time.Millisecond, 90*time.Second
	case "registration":
		d.fast, d.real = 0, 30*time.Second
	case "deployment.delete":
		d.fast, d.real = 10*time.Millisecond, 10*time.Second
	case "deployment":
		d.fast, d.real = 10*time.Millisecond, 3*time.Second
	}
	if realistic {
		return d.real
	}
	return d.fast
}

// atEase is how many operations a region carries out at once without any of them taking longer.
const atEase = 40

// Crowded is what becomes of a realistic time while many other operations are under way: half a percent longer for each
// beyond atEase, and at most four times as long. Large fleets do take longer in Azure; the numbers are a guess.
func Crowded(d time.Duration, underWay int) time.Duration {
	return d + d*time.Duration(min(max(0, underWay-atEase), 600))/200
}
