package host_test

import (
	"os/exec"
	"testing"
)

// BenchmarkBoot measures a VM from nothing to an answering SSH port.
func BenchmarkBoot(b *testing.B) {
	l := newLab(b)
	m := l.machine("boot")
	l.start(m) // the first one copies /etc
	for b.Loop() {
		n := m
		n.ID += "-again"
		n.Addresses = nil
		if err := l.Start(b.Context(), n); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := l.Remove(b.Context(), n.ID); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkExec measures a command over an open SSH connection. Its baseline is BenchmarkExecBaseline.
func BenchmarkExec(b *testing.B) {
	l := newLab(b)
	m := l.machine("exec")
	l.start(m)
	c := l.client(m)
	for b.Loop() {
		s, err := c.NewSession()
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Run("exec true"); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkExecBaseline starts the same program on the host, without SSH or a VM.
func BenchmarkExecBaseline(b *testing.B) {
	for b.Loop() {
		if err := exec.CommandContext(b.Context(), "bash", "-c", "exec true").Run(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLogin measures a whole SSH connection with one command.
func BenchmarkLogin(b *testing.B) {
	l := newLab(b)
	m := l.machine("login")
	l.start(m)
	for b.Loop() {
		c := l.client(m)
		s, err := c.NewSession()
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Run("exec true"); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
