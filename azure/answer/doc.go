// Package answer reads an HTTP response of Azure apart from its regular body: the error envelope, the requested delay, and
// whether the answer is incomplete. It makes no decisions.
package answer
