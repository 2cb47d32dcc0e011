// Facts packs Azure's published API descriptions, as facts, into what the emulator embeds:
//
//	go run ./test/facts openapi-facts.json
//
// How the facts are read stands in their "about", which is kept. Nothing is left out.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: facts openapi-facts.json")
		os.Exit(2)
	}
	if err := pack(os.Args[1], "emulator/arm/contract/facts.json.gz"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pack writes the same bytes for the same facts.
func pack(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var plain, packed bytes.Buffer
	if err := json.Compact(&plain, data); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(plain.Bytes()); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, packed.Bytes(), 0o644)
}
