package ipam

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// Pool is what public addresses are taken from: 127.77.0.0/16, where the VMs' hosts listen. Emulators on one machine share
// that network: each begins somewhere else and passes over what is taken.
type Pool struct {
	last uint32 // the one given out last, as an offset
}

// NewPool makes a pool that begins somewhere.
func NewPool() Pool { return Pool{last: rand.Uint32N(1 << 16)} }

// Take gives the next address that is not used and that is free; ok is false when there is none.
func (p *Pool) Take(used map[string]bool, free func(netip.Addr) bool) (a netip.Addr, ok bool) {
	for range 1 << 16 {
		p.last = p.last%65533 + 1
		if a := publicAddress(p.last); !used[a.String()] && byte(p.last) != 0 && byte(p.last) != 255 && (free == nil || free(a)) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func publicAddress(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 127<<24|77<<16|n)
	return netip.AddrFrom4(b)
}
