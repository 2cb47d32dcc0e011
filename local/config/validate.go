package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/shlex"
)

// The allowed names. The rules are exactly as strict as Azure's.
var (
	regionName  = regexp.MustCompile(`^[a-zA-Z0-9]{2,64}$`)
	sizeName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	groupName   = regexp.MustCompile(`^[\pL\pN_().-]{0,89}[\pL\pN_()-]$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	storageName = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
)

func validRegion(s string) error {
	if !regionName.MatchString(s) {
		return errors.New("a region is written like westus2")
	}
	return nil
}

func validSize(s string) error {
	if !sizeName.MatchString(s) {
		return errors.New("a VM size is written like Standard_D4s_v5")
	}
	return nil
}

func validGroup(s string) error {
	if !groupName.MatchString(s) {
		return errors.New("a resource group has 1 to 90 letters, digits and _ ( ) - . and does not end with a dot")
	}
	return nil
}

func validSession(s string) error {
	if !sessionName.MatchString(s) {
		return errors.New("a session name has 1 to 64 letters, digits, - or _")
	}
	return nil
}

func validAlias(s string) error {
	if words, err := shlex.Split(s); err != nil || len(words) == 0 || strings.HasPrefix(words[0], "-") {
		return errors.New("an alias is a command with its arguments, quoted as in a shell")
	}
	return nil
}

func validStorage(s string) error {
	if !storageName.MatchString(s) {
		return errors.New("a storage account has 3 to 24 small letters and digits")
	}
	return nil
}

func validLine(s string) error {
	if strings.TrimSpace(s) == "" || strings.ContainsFunc(s, unicode.IsControl) {
		return errors.New("one line with something on it is wanted")
	}
	return nil
}

// anySource admits SSH from everywhere.
const anySource = "any"

func validSource(s string) error {
	if s == anySource {
		return nil
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return nil
	}
	if prefix, err := netip.ParsePrefix(s); err == nil && prefix.Bits() > 0 {
		return nil
	}
	return errors.New("give an address, a range like 198.51.100.0/24, or 'any'")
}

func validHTTPS(s string) error {
	if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("an address that begins with https:// is wanted")
	}
	return nil
}

// validWebhook allows plain HTTP only to this machine. Its error does not contain the address.
func validWebhook(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return errors.New("an address that begins with https:// is wanted")
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return errors.New("an address that begins with https:// is wanted")
	}
	return nil
}

// Channels lists the ways to notify: a command, the desktop, a webhook, or none.
func Channels() []string { return []string{"command", "desktop", "webhook", "off"} }

func validChannel(s string) error {
	if !slices.Contains(Channels(), s) {
		return errors.New("use " + strings.Join(Channels(), ", "))
	}
	return nil
}

// Terminals lists the terminals that can open new windows.
func Terminals() []string {
	return []string{
		"iterm", "terminal", "gnome-terminal", "konsole", "xterm", "alacritty", "kitty", "wezterm", "windows-terminal", "tmux",
	}
}

func validTerminal(s string) error {
	if !slices.Contains(Terminals(), s) {
		return errors.New("use " + strings.Join(Terminals(), ", "))
	}
	return nil
}

func validTimeout(s string) error {
	if d, err := time.ParseDuration(s); err != nil || d < time.Second || d > time.Hour {
		return errors.New("a duration from 1s to 1h is wanted")
	}
	return nil
}

func validAttempts(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 0 || n > 1000 || strconv.Itoa(n) != s {
		return errors.New("a number from 0 to 1000 is wanted")
	}
	return nil
}
