package status

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// question is the script that queries a VM: one fact per line, beginning with its name. A session's name is last in its
// line, so that it cannot be mistaken for something else.
const question = `export LC_ALL=C
cpu() { head -n 1 /proc/stat 2>/dev/null; }
ticks() { cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^.*) //' | awk '{ t += $12 + $13 } END { print t + 0 }'; }
ticks1=$(ticks)
echo "cpu1 $(cpu)"
sleep 0.3
echo "cpu2 $(cpu)"
echo "ticks $ticks1 $(ticks)"
echo "uptime $(cat /proc/uptime 2>/dev/null)"
echo "total $(sed -n 's/^MemTotal: *//p' /proc/meminfo 2>/dev/null)"
echo "available $(sed -n 's/^MemAvailable: *//p' /proc/meminfo 2>/dev/null)"
echo "disk $(df -Pk / 2>/dev/null | tail -n 1)"
newest=0
later() { for t in "$@"; do [ "$t" -le "$newest" ] 2>/dev/null || newest=$t; done; }
later $(stat -c %Y "$HOME"/* "$HOME"/.[!.]* 2>/dev/null)
later $(stat -c %X /dev/pts/[0-9]* 2>/dev/null)
later $(tmux -u list-sessions -F '#{session_activity}' 2>/dev/null)
echo "active $newest $(date +%s)"
if ! command -v tmux >/dev/null 2>&1; then
	echo "tmux none"
elif sessions=$(tmux -u list-sessions -F 'session #{session_windows} #{session_attached} #{session_created} #{session_name}' 2>&1); then
	printf '%s\n' "$sessions" 'tmux some'
else
	case $sessions in
	*'no server running'* | *'No such file'* | *'no sessions'*) echo "tmux none" ;;
	esac
fi
`

// parse parses a VM's answer. What cannot be parsed stays unknown.
func parse(answer string, v *VM) {
	facts := map[string][]string{}
	var sessions []TmuxSession
	for line := range strings.Lines(answer) {
		line = strings.TrimRight(line, "\r\n")
		name, rest, _ := strings.Cut(line, " ")
		if name != "session" {
			facts[name] = strings.Fields(rest)
			continue
		}
		if s, ok := parseSession(rest); ok {
			sessions = append(sessions, s)
		}
	}
	number := func(name string, n int) (float64, bool) {
		if n >= len(facts[name]) {
			return 0, false
		}
		f, err := strconv.ParseFloat(facts[name][n], 64)
		return f, err == nil && f >= 0 && f < 1e15
	}
	if s, ok := number("uptime", 0); ok && s < 1e9 {
		v.Uptime = new(time.Duration(s * float64(time.Second)).Truncate(time.Second))
	}
	total, ok := number("total", 0)
	if available, ok2 := number("available", 0); ok && ok2 {
		v.MemoryUsage = percent(total-available, total)
	}
	used, ok := number("disk", 2)
	if free, ok2 := number("disk", 3); ok && ok2 {
		v.DiskUsage = percent(used, used+free) // as df computes it
	}
	before, ok := number("ticks", 0)
	if after, ok2 := number("ticks", 1); ok && ok2 { // in 0.3 s, of hundredths of a second
		v.BusyProcesses = new(math.Round(max(0, after-before) / 30 * 100))
	}
	if active, ok := number("active", 0); ok && active > 0 {
		if now, ok := number("active", 1); ok { // by the VM's clock, which may be wrong
			v.LastActivity = new(time.Now().Add(-time.Duration(max(0, now-active)) * time.Second).UTC().Truncate(time.Second))
		}
	}
	v.CPUUsage = cpuUsage(facts["cpu1"], facts["cpu2"])
	if state := facts["tmux"]; len(state) > 0 {
		v.TmuxSessions = append([]TmuxSession{}, sessions...)
	}
}

func percent(part, whole float64) *float64 {
	if whole <= 0 || part < 0 || part > whole {
		return nil
	}
	return new(math.Round(part/whole*1000) / 10) // the precision of the measurement
}

// cpuUsage compares two first lines of /proc/stat: the part of the time between them that was not idle.
func cpuUsage(before, after []string) *float64 {
	if len(before) < 6 || len(after) < 6 {
		return nil
	}
	var total, idle float64
	for n := 1; n < min(len(before), len(after), 9); n++ { // user time already includes guest time
		a, err := strconv.ParseUint(before[n], 10, 53)
		b, err2 := strconv.ParseUint(after[n], 10, 53)
		if err != nil || err2 != nil {
			return nil
		}
		if b < a {
			continue // iowait may decrease
		}
		total += float64(b - a)
		if n == 4 || n == 5 { // idle and iowait
			idle += float64(b - a)
		}
	}
	return percent(total-idle, total)
}

func parseSession(line string) (s TmuxSession, ok bool) {
	parts := strings.SplitN(line, " ", 4)
	if len(parts) != 4 || parts[3] == "" {
		return s, false
	}
	windows, err := strconv.Atoi(parts[0])
	attached, err2 := strconv.Atoi(parts[1])
	created, err3 := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || err2 != nil || err3 != nil || windows < 0 || attached < 0 || created < 0 {
		return s, false
	}
	return TmuxSession{Name: parts[3], IsConnected: attached > 0, NumWindows: windows, Created: time.Unix(created, 0).UTC()}, true
}
