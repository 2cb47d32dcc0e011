// Package vm lists, finds, creates, starts, stops, and deletes virtual machines and the resources around them, through
// package azure.
// It has no knowledge of SSH or costs, asks the user nothing, and prints nothing: results are returned, and progress goes to
// a callback.
package vm
