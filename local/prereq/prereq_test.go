package prereq_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/prereq"
)

// onlyPrograms makes PATH a directory that holds just these.
func onlyPrograms(t *testing.T, names ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		script := "#!/bin/sh\necho " + n + " 1.2.3\necho more\n"
		if err := os.WriteFile(filepath.Join(dir, n), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestCheckAllFailsOnlyForWhatIsNeeded(t *testing.T) {
	onlyPrograms(t, "git")
	if err := prereq.CheckAll(); err != nil {
		t.Errorf("nothing is needed: %v", err)
	}
	if err := prereq.CheckAll(prereq.LocalGit); err != nil {
		t.Errorf("git is there: %v", err)
	}
	err := prereq.CheckAll(prereq.Connect, prereq.LocalGit, prereq.GitHubClone)
	if !errors.Is(err, prereq.ErrMissing) || errkind.Of(err) != errkind.Prerequisite {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"ssh to connect", "gh to clone"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "git to") || strings.Contains(err.Error(), "az") {
		t.Errorf("%v names what is there or not needed", err)
	}
	var e *errkind.Error
	if !errors.As(err, &e) || e.Next.Command != "sudo apt install gh openssh-client" {
		t.Errorf("next: %+v", e.Next)
	}
}

func TestMissingTools(t *testing.T) {
	onlyPrograms(t, "az", "ssh")
	if diff := cmp.Diff([]string{"gh", "git", "tmux"}, prereq.MissingTools()); diff != "" {
		t.Error(diff)
	}
	if !prereq.CheckTool("az") || prereq.CheckTool("docker") {
		t.Error("CheckTool is wrong")
	}
	for _, tool := range prereq.RequiredTools() {
		v, err := tool.Version(t.Context())
		if there := prereq.CheckTool(tool.Name); there != (err == nil) || there && v != tool.Name+" 1.2.3" {
			t.Errorf("%s: %q, %v", tool.Name, v, err)
		}
	}
}

// Example is the reference's.
func Example() {
	if err := prereq.CheckAll(prereq.LocalGit); errors.Is(err, prereq.ErrMissing) {
		fmt.Println("Missing prerequisites:", err)
		fmt.Println("Missing tools:", strings.Join(prereq.MissingTools(), ", "))
		return
	}
	fmt.Println("All prerequisites satisfied")
	// Output: All prerequisites satisfied
}
