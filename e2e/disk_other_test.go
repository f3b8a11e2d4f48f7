//go:build !linux

package e2e

// roleFullDisk needs what only Linux has; see disk_linux_test.go.
const roleFullDisk = "full disk"

func beOnFullDisk() int { return 2 }
