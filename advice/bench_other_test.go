//go:build unix && !linux

package advice

import "time"

var benchStart = time.Now()

// threadBusy is the time that has passed, where a thread's own is not to be had.
func threadBusy() time.Duration { return time.Since(benchStart) }
