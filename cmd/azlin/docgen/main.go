// Command docgen writes the command reference, one Markdown page per command, into the directory that it
// is given.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: docgen DIRECTORY")
		os.Exit(2)
	}
	if err := generate(filepath.Join(os.Args[1], "reference")); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func generate(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := cli.Root()
	withoutDate(root)
	return doc.GenMarkdownTree(root, dir)
}

// withoutDate keeps the pages the same from day to day.
func withoutDate(c *cobra.Command) {
	c.DisableAutoGenTag = true
	for _, sub := range c.Commands() {
		withoutDate(sub)
	}
}
