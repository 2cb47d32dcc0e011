package logs

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/vm"
)

// serialLines splits a serial log into lines; it is written for terminals, with \r\n.
func serialLines(data []byte) []string {
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	if text = strings.TrimSuffix(text, "\n"); text == "" {
		return []string{}
	}
	return strings.Split(text, "\n")
}

func last(lines []string, n int) []string {
	if n > 0 && len(lines) > n {
		return lines[len(lines)-n:]
	}
	return lines
}

// ReadSerial returns the last lines (0: all) of a VM's serial console. Azure stores it, so it is readable in any state of
// the VM (virtualMachines/retrieveBootDiagnosticsData). NotFound: boot diagnostics are off.
func ReadSerial(ctx context.Context, vms *vm.Service, ref vm.Ref, lines int) ([]string, error) {
	data, err := vms.SerialLog(ctx, ref)
	if err != nil {
		return nil, err
	}
	return last(serialLines(data), lines), nil
}

// FollowSerial emits the last lines and then, reading every interval (zero: five seconds), the new ones, until ctx ends,
// which is not an error. Azure adds a delay of its own.
func FollowSerial(ctx context.Context, vms *vm.Service, ref vm.Ref, lines int, interval time.Duration, emit func(line string) error) error {
	if interval == 0 {
		interval = 5 * time.Second
	}
	var seen []byte
	for first := true; ; first = false {
		data, err := vms.SerialLog(ctx, ref)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		whole := data[:bytes.LastIndexByte(data, '\n')+1] // an incomplete line is emitted next time
		fresh := serialLines(added(seen, whole))
		if first {
			fresh = last(fresh, lines)
		}
		for _, line := range fresh {
			if err := emit(line); err != nil {
				return err
			}
		}
		seen = whole
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(interval):
		}
	}
}

// maxAnchor is how many of the last seen bytes are searched for in the new log.
const maxAnchor = 512

// added returns what is new since the bytes in seen. Azure drops the beginning of a log that grows too long, and starts a
// new one when the VM restarts.
func added(seen, now []byte) []byte {
	if bytes.HasPrefix(now, seen) {
		return now[len(seen):]
	}
	anchor := seen[max(0, len(seen)-maxAnchor):]
	if i := bytes.LastIndex(now, anchor); i >= 0 {
		return now[i+len(anchor):]
	}
	return now
}
