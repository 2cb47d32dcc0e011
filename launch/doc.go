// Package launch is azlin's main job: from a name to a VM that is ready to be worked on. It chooses and
// checks everything before the first write, creates the VM, waits until SSH and the login user are
// there, and clones a repository. What was cut off goes on when it is asked for again.
package launch
