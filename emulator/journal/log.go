package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrDamaged is returned when a state cannot be read, nor recovered.
var ErrDamaged = errors.New("damaged beyond what its copies can mend")

// ErrNewer is returned when a state was written by a newer program.
var ErrNewer = errors.New("written by a newer version")

// State is what a directory held.
type State struct {
	Records [][]byte // the snapshot's, and then the changes, in their order
	Fresh   bool     // there was no state yet
	Notes   []string // files that were damaged, and what became of that
}

// Log is the state of one directory, which one process at a time may open.
type Log struct {
	dir        string
	version    int
	generation int
	lines      int // of the journal so far
	files      [2]*os.File
	snapshot   int64 // sizes in bytes
	journal    int64
	unsynced   bool // something was appended since the last Sync
}

func (l *Log) name(generation int, suffix string) string {
	return filepath.Join(l.dir, fmt.Sprintf("%08d.%s", generation, suffix))
}

// The files of a generation: the journal holds what changed after the snapshot.
const (
	snapshotSuffix = "snapshot"
	journalSuffix  = "journal"
	copySuffix     = "journal-copy"
)

// Open reads the state of a directory, which is made when it is missing. version is that of the records; files with a
// higher one are ErrNewer. The log takes changes after the first Snapshot.
func Open(dir string, version int) (*Log, State, error) {
	l := &Log{dir: dir, version: version}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, State{}, err
	}
	generations, newest, err := l.generations()
	if err != nil {
		return nil, State{}, err
	}
	l.generation = newest
	if newest == 0 {
		return l, State{Fresh: true}, nil
	}
	var st State
	for _, g := range generations {
		c, err := l.read(g, snapshotSuffix, kindSnapshot)
		if err != nil {
			return nil, st, err
		}
		if !c.intact(kindSnapshot) {
			st.Notes = append(st.Notes, fmt.Sprintf("%s: %s", l.name(g, snapshotSuffix), reason(c)))
			continue
		}
		st.Records = c.records
		for ; g <= newest; g++ {
			records, note, err := l.changes(g)
			if err != nil {
				return nil, st, err
			}
			st.Notes = append(st.Notes, note...)
			st.Records = append(st.Records, records...)
		}
		return l, st, nil
	}
	if len(st.Notes) == 0 {
		st.Notes = []string{"the snapshot is missing"}
	}
	return nil, st, fmt.Errorf("%w: %s", ErrDamaged, strings.Join(st.Notes, "; "))
}

func reason(c content) string {
	switch {
	case c.damage != "":
		return c.damage
	case c.torn:
		return "its end is missing"
	}
	return "it is incomplete"
}

// generations lists those that have a snapshot, the newest first, and the newest of which there is any file.
func (l *Log) generations() (with []int, newest int, err error) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		number, suffix, _ := strings.Cut(e.Name(), ".")
		g, err := strconv.Atoi(number)
		if err != nil || g < 1 || !slices.Contains([]string{snapshotSuffix, journalSuffix, copySuffix}, suffix) {
			continue
		}
		newest = max(newest, g)
		if suffix == snapshotSuffix {
			with = append(with, g)
		}
	}
	slices.Sort(with)
	slices.Reverse(with)
	return with, newest, nil
}

// missing is what is wrong with a file that is not there.
const missing = "it is missing"

func (l *Log) read(generation int, suffix, kind string) (content, error) {
	data, err := ReadFile(l.name(generation, suffix))
	if errors.Is(err, fs.ErrNotExist) {
		return content{damage: missing}, nil
	}
	if err != nil {
		return content{}, err
	}
	c := parse(data, kind, generation)
	if c.version > l.version {
		return c, fmt.Errorf("%s has version %d, this program reads up to %d: %w", l.name(generation, suffix), c.version, l.version, ErrNewer)
	}
	return c, nil
}

// changes reads the journal of a generation from its two copies.
func (l *Log) changes(g int) (records [][]byte, notes []string, err error) {
	var copies [2]content
	var wrong []string
	for i, suffix := range []string{journalSuffix, copySuffix} {
		if copies[i], err = l.read(g, suffix, kindJournal); err != nil {
			return nil, nil, err
		}
		if copies[i].damage != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s", l.name(g, suffix), copies[i].damage))
		}
	}
	if g == l.generation && copies[0].damage == missing && copies[1].damage == missing {
		// A snapshot is there before its journal, but not for long.
		return nil, []string{l.name(g, journalSuffix) + " and its copy are missing: changes after the snapshot, if there were any, are lost"}, nil
	}
	if copies[0].empty() && copies[1].empty() {
		wrong = []string{l.name(g, journalSuffix) + " and its copy are empty: changes after the snapshot, if there were any, are lost"}
	}
	records, ok := merge(copies[0], copies[1])
	if !ok || len(wrong) == 2 && !sameLength(copies) {
		return nil, nil, fmt.Errorf("%w: %s", ErrDamaged, strings.Join(wrong, "; "))
	}
	return records, wrong, nil
}

// sameLength reports whether two damaged copies agree on how much there was.
func sameLength(c [2]content) bool {
	return len(c[0].records) == len(c[1].records) && !c[0].torn && !c[1].torn
}
