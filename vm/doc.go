// Package vm lists, finds, creates, powers and deletes virtual machines and the resources around
// them, through package azure.
//
// It knows neither SSH nor costs, asks nothing of the user, and prints nothing: what it does is in
// its results, and what it is doing goes to a callback.
package vm
