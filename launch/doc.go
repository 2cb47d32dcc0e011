// Package launch is azlin's main job: from a name to a VM that is ready for work. It chooses and checks everything before
// the first write, creates the VM, waits for SSH and the login user, and clones a repository. An interrupted launch resumes
// when it is requested again.
package launch
