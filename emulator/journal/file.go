package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// A file is lines. Each begins with the checksum of its number and its text, in hexadecimal, so that lines that are
// changed, lost or doubled are noticed. The first names the file's kind, version and generation; a snapshot's last line
// counts the records, so that one that was cut is noticed, too.
const (
	magic   = "azlin-state"
	endMark = "end"

	kindSnapshot = "snapshot"
	kindJournal  = "journal"
)

var table = crc32.MakeTable(crc32.Castagnoli)

func checksum(number int, text []byte) uint32 {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(number)) //nolint:gosec // it counts lines
	return crc32.Update(crc32.Checksum(n[:], table), table, text)
}

// appendLine adds line number to b. The text has no line breaks: JSON has none.
func appendLine(b []byte, number int, text []byte) []byte {
	b = fmt.Appendf(b, "%08x ", checksum(number, text))
	return append(append(b, text...), '\n')
}

func header(kind string, version, generation int) []byte {
	return fmt.Appendf(nil, "%s %s %d %d", magic, kind, version, generation)
}

// content is what was found in a file.
type content struct {
	version int      // 0: the first line is unreadable
	records [][]byte // nil for those that are unreadable
	damage  string   // what is wrong; empty: nothing, or an end that a crash can leave
	torn    bool     // the last line is incomplete
	ended   bool     // the last line is the end of a snapshot
}

// parse reads a file of a kind and generation. It never fails: what is wrong stands in the content.
func parse(data []byte, kind string, generation int) content {
	var c content
	if len(data) == 0 {
		c.torn = true
		return c
	}
	for number := 0; len(data) > 0; number++ {
		line, rest, whole := bytes.Cut(data, []byte{'\n'})
		data = rest
		if !whole {
			c.torn = true
			break
		}
		text, ok := verify(line, number)
		switch {
		case number == 0:
			if ok {
				if c.damage = c.identify(string(text), kind, generation); c.damage != "" {
					return c // what follows is right, but somewhere else
				}
			} else {
				c.damage = "its first line is damaged"
			}
		case !ok:
			c.records = append(c.records, nil)
			if c.damage == "" {
				c.damage = fmt.Sprintf("line %d is damaged", number+1)
			}
		case c.ended:
			c.damage = "it goes on after its end"
		case kind == kindSnapshot && string(text) == endMark+" "+strconv.Itoa(number-1):
			c.ended = true
		default:
			c.records = append(c.records, text)
		}
	}
	return c
}

func verify(line []byte, number int) (text []byte, ok bool) {
	if len(line) < 9 || line[8] != ' ' {
		return nil, false
	}
	return line[9:], string(line[:8]) == fmt.Sprintf("%08x", checksum(number, line[9:]))
}

// identify reads the first line; the result is what is wrong with it.
func (c *content) identify(text, kind string, generation int) string {
	f := strings.Fields(text)
	if len(f) != 4 || f[0] != magic {
		return "it is another kind of file"
	}
	version, err1 := strconv.Atoi(f[2])
	g, err2 := strconv.Atoi(f[3])
	if err1 != nil || err2 != nil || version < 1 {
		return "its first line cannot be read"
	}
	c.version = version
	if f[1] != kind || g != generation {
		return fmt.Sprintf("it is the %s of generation %d", f[1], g)
	}
	return ""
}

// intact reports whether all that was ever in the file is there, as far as it can tell.
func (c *content) intact(kind string) bool {
	return c.damage == "" && (kind == kindJournal || c.ended)
}

// empty reports whether there is not even the beginning of a first line that can be read.
func (c *content) empty() bool { return c.torn && c.version == 0 && len(c.records) == 0 }

// merge is what two copies of a journal hold together; ok is false when lines are lost.
func merge(a, b content) (records [][]byte, ok bool) {
	n := max(len(a.records), len(b.records))
	sure := n // lines that there were: as many as a copy has that is not damaged
	for _, c := range []content{a, b} {
		if c.damage == "" {
			sure = len(c.records)
		}
	}
	for i := range n {
		var r []byte
		if i < len(a.records) {
			r = a.records[i]
		}
		if r == nil && i < len(b.records) {
			r = b.records[i]
		}
		if r == nil {
			return records, i >= sure
		}
		records = append(records, r)
	}
	return records, true
}
