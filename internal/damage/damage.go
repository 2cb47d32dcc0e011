// Package damage corrupts the content of state files for tests, as disks, editors and crashes do.
package damage

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Kinds is how many kinds of damage there are.
const Kinds = 9

// Spoil returns damaged data and a description. kind is taken modulo Kinds; the details are random.
func Spoil(random *rand.Rand, data []byte, kind int) ([]byte, string) {
	data = slices.Clone(data)
	if len(data) == 0 {
		return []byte{0}, "was empty"
	}
	at := random.IntN(len(data))
	end := min(len(data), at+1+random.IntN(200))
	switch kind % Kinds {
	case 0:
		return data[:at], fmt.Sprintf("truncated at %d", at)
	case 1:
		data[at] ^= 1 << random.IntN(8)
		return data, fmt.Sprintf("a bit flipped at %d", at)
	case 2:
		clear(data[at:end])
		return data, fmt.Sprintf("zeroed from %d to %d", at, end)
	case 3:
		for i := at; i < end; i++ {
			data[i] = byte(random.Uint32())
		}
		return data, fmt.Sprintf("garbled from %d to %d", at, end)
	case 4:
		return slices.Delete(data, at, end), fmt.Sprintf("cut from %d to %d", at, end)
	case 5:
		return nil, "emptied"
	case 6:
		return bytes.Repeat([]byte{byte(random.Uint32())}, 1+random.IntN(3000)), "replaced"
	case 7:
		return append(data, data[at:]...), fmt.Sprintf("doubled from %d", at)
	}
	data[at] = "0123456789"[random.IntN(10)]
	return data, fmt.Sprintf("a digit put at %d", at)
}
