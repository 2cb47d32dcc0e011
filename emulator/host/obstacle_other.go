//go:build !linux

package host

func obstacle(mode Mode) string {
	if mode != Namespaces {
		return ""
	}
	return " (namespaces exist on Linux only; processes without isolation are the alternative)"
}
