package provision

import "sync"

// leftOver collects the ids of resources that a create made, from several goroutines. A write without an answer counts,
// because Azure may have carried it out.
type leftOver struct {
	mu  sync.Mutex
	all []string
}

func (l *leftOver) add(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, id)
}

func (l *leftOver) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = nil
}

func (l *leftOver) ids() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return sorted(l.all)
}
