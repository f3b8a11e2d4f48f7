package advice

import (
	"syscall"
	"time"
	"unsafe"
)

// threadBusy is how long the calling thread has computed
// (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID).
func threadBusy() time.Duration {
	var ts syscall.Timespec
	const threadCPU = 3
	if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadCPU, uintptr(unsafe.Pointer(&ts)), 0); e != 0 {
		return 0
	}
	return time.Duration(ts.Nano())
}
