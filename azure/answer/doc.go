// Package answer reads what Azure says in an HTTP response beside the body that was asked for: its error
// envelope, how long it asks to wait, and whether the answer was cut off. It decides nothing.
package answer
