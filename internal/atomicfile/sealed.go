package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrDamaged is returned when a sealed file has changed since it was written.
var ErrDamaged = errors.New("its checksum does not fit: it was damaged, or edited")

// The seal is the first member of a JSON object; its checksum is computed with zeros in its place.
const (
	sealStart  = `{"checksum":"crc32c:`
	sealZeros  = "00000000"
	sealLength = len(sealStart) + len(sealZeros) + 1
)

// Seal adds a first member "checksum" to a JSON object, for files that are not edited by hand.
func Seal(object []byte) ([]byte, error) {
	rest := bytes.TrimLeft(object, " \t\r\n")
	if len(rest) == 0 || rest[0] != '{' {
		return nil, errors.New("seal: not a JSON object")
	}
	rest = rest[1:]
	out := make([]byte, 0, len(object)+sealLength+1)
	out = append(out, sealStart+sealZeros+`"`...)
	if after := bytes.TrimLeft(rest, " \t\r\n"); len(after) == 0 || after[0] != '}' {
		out = append(out, ',')
	}
	out = append(out, rest...)
	copy(out[len(sealStart):], sum(out))
	return out, nil
}

func sum(zeroed []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(zeroed, crc32.MakeTable(crc32.Castagnoli)))
}

// Verify returns ErrDamaged if an object's seal does not match. An object without one was written by an older version and is
// accepted.
func Verify(object []byte) error {
	if !bytes.HasPrefix(object, []byte(sealStart)) || len(object) < sealLength {
		// Remains of a seal show that there was one.
		start := object[:min(len(object), sealLength)]
		if bytes.Contains(start, []byte("checksum")) || bytes.Contains(start, []byte("crc32c")) {
			return ErrDamaged
		}
		return nil
	}
	zeroed := bytes.Clone(object)
	at := zeroed[len(sealStart) : len(sealStart)+len(sealZeros)]
	want := string(at)
	copy(at, sealZeros)
	if sum(zeroed) != want {
		return ErrDamaged
	}
	return nil
}

// VerifySealed is Verify for files that always have a seal, because some damage removes the seal.
func VerifySealed(object []byte) error {
	if !bytes.HasPrefix(object, []byte(sealStart)) {
		return ErrDamaged
	}
	return Verify(object)
}

// copyOf is the path of the copy that Keep writes.
func copyOf(name string) string {
	return filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".copy")
}

// Keep seals a JSON object and writes it with Write, and then a copy of it, which Recall reads when the file is damaged.
func Keep(name string, object []byte, perm fs.FileMode) error {
	sealed, err := Seal(object)
	if err != nil {
		return err
	}
	if err := Write(name, sealed, perm); err != nil {
		return err
	}
	return Write(copyOf(name), sealed, perm)
}

// Recall reads a file that Keep wrote, or its copy if usable rejects the file. The file's error is returned when both are
// unusable; an absent file has no copy.
func Recall(name string, usable func(object []byte) error) ([]byte, error) {
	data, err := Read(name)
	if err != nil {
		return nil, err
	}
	check := func(data []byte) error {
		if err := Verify(data); err != nil {
			return err
		}
		return usable(data)
	}
	if err = check(data); err == nil {
		return data, nil
	}
	if spare, spareErr := Read(copyOf(name)); spareErr == nil && check(spare) == nil {
		return spare, nil
	}
	return nil, err
}

// Forget removes a file that Keep wrote, and its copy. Absent files are not an error.
func Forget(name string) error {
	var all error
	for _, n := range []string{copyOf(name), name} { // the copy first: alone it would be of no use
		if err := os.Remove(n); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}
