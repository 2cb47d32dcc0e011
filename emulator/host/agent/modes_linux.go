package agent

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// applyModes sets a terminal's modes from their encoding in RFC 4254, section 8. What is unknown is left alone.
func applyModes(slave *os.File, encoded []byte) {
	fd := int(slave.Fd())
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return
	}
	for len(encoded) >= 5 && encoded[0] != 0 && encoded[0] < 160 {
		setMode(t, encoded[0], binary.BigEndian.Uint32(encoded[1:]))
		encoded = encoded[5:]
	}
	_ = unix.IoctlSetTermios(fd, unix.TCSETS, t) // the defaults do as well
}

func setMode(t *unix.Termios, opcode byte, value uint32) {
	characters := map[byte]int{
		1: unix.VINTR, 2: unix.VQUIT, 3: unix.VERASE, 4: unix.VKILL, 5: unix.VEOF, 6: unix.VEOL, 7: unix.VEOL2,
		8: unix.VSTART, 9: unix.VSTOP, 10: unix.VSUSP, 12: unix.VREPRINT, 13: unix.VWERASE, 14: unix.VLNEXT, 18: unix.VDISCARD,
	}
	if i, ok := characters[opcode]; ok {
		t.Cc[i] = byte(value)
		return
	}
	flags := map[byte]struct {
		word *uint32
		bit  uint32
	}{
		30: {&t.Iflag, unix.IGNPAR}, 31: {&t.Iflag, unix.PARMRK}, 32: {&t.Iflag, unix.INPCK}, 33: {&t.Iflag, unix.ISTRIP},
		34: {&t.Iflag, unix.INLCR}, 35: {&t.Iflag, unix.IGNCR}, 36: {&t.Iflag, unix.ICRNL}, 38: {&t.Iflag, unix.IXON},
		39: {&t.Iflag, unix.IXANY}, 40: {&t.Iflag, unix.IXOFF}, 41: {&t.Iflag, unix.IMAXBEL}, 42: {&t.Iflag, unix.IUTF8},
		50: {&t.Lflag, unix.ISIG}, 51: {&t.Lflag, unix.ICANON}, 53: {&t.Lflag, unix.ECHO}, 54: {&t.Lflag, unix.ECHOE},
		55: {&t.Lflag, unix.ECHOK}, 56: {&t.Lflag, unix.ECHONL}, 57: {&t.Lflag, unix.NOFLSH}, 58: {&t.Lflag, unix.TOSTOP},
		59: {&t.Lflag, unix.IEXTEN}, 60: {&t.Lflag, unix.ECHOCTL}, 61: {&t.Lflag, unix.ECHOKE}, 62: {&t.Lflag, unix.PENDIN},
		70: {&t.Oflag, unix.OPOST}, 72: {&t.Oflag, unix.ONLCR}, 73: {&t.Oflag, unix.OCRNL}, 74: {&t.Oflag, unix.ONOCR},
		75: {&t.Oflag, unix.ONLRET},
	}
	f, ok := flags[opcode]
	if !ok {
		return
	}
	*f.word &^= f.bit
	if value != 0 {
		*f.word |= f.bit
	}
}
