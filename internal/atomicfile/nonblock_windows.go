package atomicfile

// Windows keeps pipes out of the file system.
const nonblocking = 0
