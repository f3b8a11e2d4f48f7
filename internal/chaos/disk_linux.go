package main

import (
	"fmt"
	"syscall"
)

// mount puts a file system in memory on the disk's folder; only root may.
func (d *disk) mount(bytes int64) error {
	return syscall.Mount("tmpfs", d.dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes))
}

func (d *disk) unmount() { _ = syscall.Unmount(d.dir, syscall.MNT_DETACH) } // it goes with the machine at the latest
