// Command release builds what people install: archives for Linux, macOS and Windows with completions and manual pages,
// packages for Debian and Red Hat systems, checksums, and a Homebrew formula. The same commit always gives the same bytes.
// It needs git and the Go toolchain, and sends nothing: it publishes nothing either.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/local/config"
)

func main() {
	out := flag.String("out", "dist", "directory for the results; it is emptied first")
	url := flag.String("url", "https://github.com/azlin-dev/azlin/releases/download", "where releases are published, for the Homebrew formula")
	only := flag.String("only", "", "build this platform only, for example linux/amd64")
	flag.Parse()
	if err := release(context.Background(), *out, *url, *only); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// platform is one that azlin is built for.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

func platforms() []platform {
	return []platform{
		{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
	}
}

// source is the commit that is built.
type source struct {
	version string    // without the v of the tag
	date    time.Time // of the commit; every file in a release has this time
}

func release(ctx context.Context, out, url, only string) error {
	from, err := readSource(ctx)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "azlin-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	extras, err := documents(work, from) //nolint:contextcheck // the command tree is only described, not run
	if err != nil {
		return err
	}
	var archives []archived
	for _, p := range platforms() {
		if only != "" && only != p.String() {
			continue
		}
		fmt.Println("building", p)
		binary := filepath.Join(work, p.os+"-"+p.arch, "azlin")
		if p.os == "windows" {
			binary += ".exe"
		}
		if err := build(ctx, p, binary); err != nil {
			return err
		}
		name, err := archive(out, from, p, append([]entry{{"", binary, 0o755}}, extras...))
		if err != nil {
			return err
		}
		archives = append(archives, archived{p, name})
		if p.os == "linux" {
			if err := systemPackages(ctx, out, work, from, p, binary, extras); err != nil {
				return err
			}
		}
	}
	if only == "" { // the formula names the archives of four platforms
		if err := formula(out, from, url, archives); err != nil {
			return err
		}
	}
	return checksums(out)
}

// readSource reads the version from the commit's tag. A commit without one is a version before all others, named by date and hash.
func readSource(ctx context.Context) (source, error) {
	seconds, err := git(ctx, "log", "-1", "--format=%ct")
	if err != nil {
		return source{}, err
	}
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return source{}, err
	}
	s := source{date: time.Unix(unix, 0).UTC()}
	if tag, err := git(ctx, "describe", "--tags", "--exact-match", "--match", "v[0-9]*"); err == nil {
		s.version = strings.TrimPrefix(tag, "v")
		return s, nil
	}
	hash, err := git(ctx, "rev-parse", "--short=12", "HEAD")
	s.version = fmt.Sprintf("0.0.0-%s-%s", s.date.Format("20060102150405"), hash)
	return s, err
}

func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// build compiles azlin. The toolchain stamps version, commit and date.
func build(ctx context.Context, p platform, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", binary, "./cmd/azlin")
	cmd.Env = append(config.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+p.os, "GOARCH="+p.arch)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build for %s: %w", p, err)
	}
	return nil
}

// checksums writes checksums.txt in the format of sha256sum.
func checksums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range entries {
		sum, err := sha256Of(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		lines = append(lines, sum+"  "+e.Name()+"\n")
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return os.WriteFile(filepath.Join(dir, "checksums.txt"), []byte(strings.Join(lines, "")), 0o644)
}

func sha256Of(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
