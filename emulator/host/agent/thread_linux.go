package agent

import "runtime"

// lockThreadForGood ties the goroutine to its thread; as it is never unlocked, the thread ends with it.
func lockThreadForGood() { runtime.LockOSThread() }
