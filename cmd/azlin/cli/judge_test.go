package cli_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// judging runs scripts and looks at every error that azlin ends in on the way, see judge.
type judging struct{ *testing.T }

// Run is testscript's.
func (j judging) Run(name string, f func(testscript.T)) {
	j.T.Run(name, func(t *testing.T) { f(judging{t}) })
}

// Verbose has testscript log everything, as what is judged is in there.
func (j judging) Verbose() bool { return true }

// Log gets the whole log of a script when it has ended.
func (j judging) Log(args ...any) {
	log := fmt.Sprint(args...)
	for _, e := range provoked(log) {
		for _, fault := range judge(e.text, strings.Contains(e.command, "--debug")) {
			j.Errorf("%s\n%s\n%s", fault, e.command, e.text)
		}
	}
	if j.Failed() || testing.Verbose() {
		j.T.Log(log)
	}
}

// provokedError is the standard error of a command that may have failed.
type provokedError struct{ command, text string }

var (
	scriptLine = regexp.MustCompile(`^> (.*)$`)
	scriptEnd  = regexp.MustCompile(`^\[exit status \d+\]$`)
)

// provoked finds what commands wrote to standard error in a script's log.
func provoked(log string) []provokedError {
	var all []provokedError
	var command string
	var text []string
	reads := false
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		switch m := scriptLine.FindStringSubmatch(line); {
		case m != nil || scriptEnd.MatchString(line):
			if reads {
				all = append(all, provokedError{command, strings.Join(text, "\n")})
			}
			if reads = false; m != nil {
				command = m[1]
			}
		case line == "[stderr]":
			text, reads = nil, true
		case line == "[stdout]":
			reads = false
		case reads:
			text = append(text, line)
		}
	}
	return all
}

var (
	errorLabel = regexp.MustCompile(`^azlin( [a-z-]+)*: `)
	errorTail  = regexp.MustCompile(`^(Available instead:|Left over:|Azure: |Hint: |Next: )`)
	kindLabel  = regexp.MustCompile(`\[[a-z]+\]$`)
	goText     = regexp.MustCompile(`context canceled|context deadline|strconv\.|invalid character|\bEOF\b|dial tcp|i/o timeout|ParseAddr|ssh: |arg\(s\)|flags in the group|exit status|syscall|no such host|InProgress|%!`)
	wordOf     = regexp.MustCompile(`[\pL\d_./-]+`)
)

// judge says what is wrong with how an error is worded: see docs/layout.md. text is all that a command wrote to standard error, debug whether with --debug.
func judge(text string, debug bool) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var asJSON struct {
		Error *struct{ Message, Next string } `json:"error"`
	}
	if json.Unmarshal([]byte(lines[len(lines)-1]), &asJSON) == nil && asJSON.Error != nil {
		lines = append([]string{"azlin: " + asJSON.Error.Message}, "Next: "+asJSON.Error.Next)
	}
	begin := -1
	for n, l := range lines {
		if errorLabel.MatchString(l) {
			begin = n
		}
	}
	if begin < 0 {
		return nil // of another program
	}
	lines = lines[begin:]
	label := strings.TrimSuffix(errorLabel.FindString(lines[0]), ": ")
	end := slices.IndexFunc(lines, errorTail.MatchString)
	if end < 0 {
		end = len(lines)
	}
	next := 0
	for _, l := range lines[end:] {
		if what, ok := strings.CutPrefix(l, "Next: "); ok {
			next++
			if regexp.MustCompile(`; |, | or | says | shows | goes on| tries`).MatchString(what) {
				add("the next step is not one command")
			}
		}
	}
	if next > 1 {
		add("there are %d next steps", next)
	}
	for n, sentence := range lines[:end] {
		if n == 0 {
			sentence = strings.TrimPrefix(sentence, label+": ")
		}
		if strings.HasPrefix(sentence, "azlin") && errorLabel.MatchString(sentence) || strings.Contains(sentence, ": azlin: ") || strings.Contains(sentence, `"`+label+`"`) {
			add("the program is named twice")
		}
		if m := goText.FindString(sentence); m != "" {
			add("%q is not English", m)
		}
		if asJSON.Error == nil && strings.Contains(sentence, "/subscriptions/") {
			add("there is an id in the sentence")
		}
		if kindLabel.MatchString(sentence) && !debug {
			add("there is a kind in the sentence")
		}
		if strings.Contains(sentence, "correlation id") {
			add("there is a correlation id in the sentence")
		}
		if twice := saidTwice(sentence); twice != "" && !strings.Contains(sentence, "AADSTS") { // the words of Microsoft Entra
			add("%q is said twice", twice)
		}
	}
	return faults
}

// saidTwice finds three words in a row, a path, or the object of an operation that stand twice in a sentence.
func saidTwice(sentence string) string {
	words := wordOf.FindAllString(strings.ToLower(sentence), -1)
	seen := map[string]bool{}
	for n := range words {
		if n+3 <= len(words) {
			three := strings.Join(words[n:n+3], " ")
			if seen[three] {
				return three
			}
			seen[three] = true
		}
		if w := words[n]; strings.Count(w, "/") > 1 {
			w = strings.TrimRight(w, ".")
			if seen[w] {
				return w
			}
			seen[w] = true
		}
	}
	var heads []string
	parts := strings.Split(sentence, ": ")
	for _, part := range parts[:len(parts)-1] {
		of := part[strings.LastIndexByte(part, ' ')+1:]
		if of != part && slices.Contains(heads, of) {
			return of
		}
		heads = append(heads, of)
	}
	return ""
}

// TestJudge: the judge finds what it is there for.
func TestJudge(t *testing.T) {
	t.Parallel()
	for text, fault := range map[string]string{
		"azlin kill: delete vm ro: a lock protects it\nAzure: ScopeLocked (correlation id x)\nNext: azlin show ro": "",
		"azlin kill: delete vm ro: delete vm ro: a lock protects it":                                               `"delete vm ro" is said twice`,
		"azlin: azlin show: missing argument":                                                                      "the program is named twice",
		"azlin new: launch dev: create vm dev: no room":                                                            `"dev" is said twice`,
		"azlin new: read key: open /home/a/b: no such file: /home/a/b":                                             `"/home/a/b" is said twice`,
		"azlin list: list vms: context canceled":                                                                   `"context canceled" is not English`,
		"azlin kill: delete /subscriptions/x/y":                                                                    "there is an id in the sentence",
		"azlin kill: there is no VM dev [notfound]":                                                                "there is a kind in the sentence",
		"azlin kill: no (correlation id x)":                                                                        "there is a correlation id in the sentence",
		"azlin kill: no\nNext: azlin show dev shows why":                                                           "the next step is not one command",
		"azlin kill: no\nNext: azlin show a\nNext: azlin show b":                                                   "there are 2 next steps",
		"half\n" + `{"error":{"message":"delete vm ro: delete vm ro: no","next":""}}`:                              `"delete vm ro" is said twice`,
	} {
		if got := strings.Join(judge(text, false), "; "); got != fault {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, fault)
		}
	}
}
