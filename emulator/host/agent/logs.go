//go:build unix

package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// The logs of a VM.
const (
	outputLog = "var/log/cloud-init-output.log" // what the stages print
	debugLog  = "var/log/cloud-init.log"        // what they say to each other
	systemLog = "var/log/syslog"
	authLog   = "var/log/auth.log"
)

// logFiles keeps the logs open that pid 1 writes to.
type logFiles struct {
	mu      sync.Mutex
	open    map[string]*os.File
	checked time.Time
}

// add appends to a log. A full disk must not stop the boot: what cannot be written is lost.
func (l *logFiles) add(t account.Tree, name, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.checked) > time.Second {
		l.checkAll(t)
	}
	f := l.open[name]
	if f == nil {
		var err error
		if f, err = os.OpenFile(t.Path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640); err != nil {
			return
		}
		if l.open == nil {
			l.open = map[string]*os.File{}
		}
		l.open[name] = f
	}
	_, _ = f.WriteString(text) // as above
}

// checkAll lets go of logs that were rotated or deleted meanwhile.
func (l *logFiles) checkAll(t account.Tree) {
	l.checked = time.Now()
	for name, f := range l.open {
		here, err1 := f.Stat()
		there, err2 := os.Stat(t.Path(name))
		if err1 != nil || err2 != nil || !os.SameFile(here, there) {
			f.Close()
			delete(l.open, name)
		}
	}
}

// logf writes a line to cloud-init's logs, syslog and the serial console.
func (m *machine) logf(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	m.debugf("util.py[DEBUG]", "%s", line)
	m.printed(line)
}

// printed is a line that cloud-init or one of its scripts printed.
func (m *machine) printed(line string) {
	m.logs.add(m.tree, outputLog, line+"\n")
	m.logs.add(m.tree, systemLog, m.syslogLine("cloud-init[512]", line))
	_ = m.conn.Send(wire.Notice{Console: []byte(line + "\n")})
}

// debugf writes to cloud-init.log alone.
func (m *machine) debugf(from, format string, args ...any) {
	m.logs.add(m.tree, debugLog, time.Now().UTC().Format("2006-01-02 15:04:05,000")+" - "+from+": "+fmt.Sprintf(format, args...)+"\n")
}

// warnf is something that cloud-init could go on after.
func (m *machine) warnf(from, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	m.debugf(from+"[WARNING]", "%s", text)
	m.printed(time.Now().UTC().Format("2006-01-02 15:04:05,000") + " - " + from + "[WARNING]: " + text)
	m.status.warn(text)
}

func (m *machine) syslogLine(from, text string) string {
	return time.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00") + " " + m.boot.Hostname + " " + from + ": " + text + "\n"
}

// noteSudo is sudo's line in auth.log.
func (m *machine) noteSudo(by, dir, command string) {
	if command == "" {
		command = "/bin/bash"
	}
	oneLine := strings.NewReplacer("\n", "#012", "\r", "#015").Replace(command) // as rsyslog does
	m.logs.add(m.tree, authLog, m.syslogLine("sudo", by+" : PWD="+dir+" ; USER=root ; COMMAND="+oneLine))
}

// logBoot is what Ubuntu's syslog says of a boot before cloud-init comes to it.
func (m *machine) logBoot() {
	var text strings.Builder
	for _, l := range [][2]string{
		{"kernel", "Linux version 6.14.0-1012-azure (buildd@lcy02-amd64-001) #12~24.04.1-Ubuntu SMP"},
		{"kernel", "Hypervisor detected: Microsoft Hyper-V"},
		{"systemd[1]", "Hostname set to <" + m.boot.Hostname + ">."},
		{"systemd[1]", "Reached target cloud-init.target - Cloud-init target."},
		{"systemd[1]", "Listening on ssh.socket - OpenBSD Secure Shell server socket."},
	} {
		text.WriteString(m.syslogLine(l[0], l[1]))
	}
	if err := os.MkdirAll(filepath.Dir(m.tree.Path(systemLog)), 0o755); err != nil {
		return
	}
	m.logs.add(m.tree, systemLog, text.String())
}
