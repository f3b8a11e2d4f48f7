package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// roleFullDisk is a shop on a disk that is full, as a process of its own: the
// disk is one of its own too, or its files may not grow.
const roleFullDisk = "full disk"

// limitVariable says how the disk is full: "tmpfs" or "file size".
const limitVariable = "TSUZUKU_E2E_DISK"

// diskSize is the disk with room for the shop, but not for much business.
const diskSize = 8 << 20

// diskReport is what the process has to say.
type diskReport struct {
	Refused int // renewals that failed while the disk was full
	Errors  []string
	Ends    map[string]int
	Wrong   []string
}

// A full disk is said so, and nothing is half done: what was refused left no
// trace, what had begun goes on when there is room again.
func TestFullDiskLeavesNothingHalfDone(t *testing.T) {
	t.Run("tmpfs", func(t *testing.T) {
		cmd := diskProcess(t, "tmpfs")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		judgeDisk(t, cmd)
	})
	t.Run("file size", func(t *testing.T) { judgeDisk(t, diskProcess(t, "file size")) })
}

func diskProcess(t *testing.T, limit string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+roleFullDisk, limitVariable+"="+limit)
	cmd.Dir = t.TempDir()
	return cmd
}

// notPermitted is how the process ends on a machine that lets nobody mount.
const notPermitted = 77

func judgeDisk(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	_, ran := errors.AsType[*exec.ExitError](err)
	if err != nil && !ran || cmd.ProcessState.ExitCode() == notPermitted {
		t.Skipf("NOT TESTED ON A FULL DISK OF ITS OWN: this machine lets nobody mount one (%v %s)", err, said.String())
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	var r diskReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, w := range r.Wrong {
		t.Error(w)
	}
	if r.Refused == 0 {
		t.Error("the disk was never full")
	}
	t.Logf("%d renewals were refused; the orders ended: %s; %q", r.Refused, say(r.Ends), r.Errors)
}

// beOnFullDisk is main of the child process.
func beOnFullDisk() int {
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var d disk = fileSize{}
	if os.Getenv(limitVariable) == "tmpfs" {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return notPermitted
		}
		if err := os.Chdir(dir); err != nil { // onto what was mounted
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		d = tmpfs{dir}
	}
	r, err := renewOn(context.Background(), d, filepath.Join(dir, "shop.db"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return 2
	}
	return 0
}

// disk is something that can be full.
type disk interface {
	leave(bytes int64) error // only so much room
	empty() error            // room again
}

// renewOn lets customers renew with less and less room, one each.
func renewOn(ctx context.Context, disk disk, file string) (r diskReport, err error) {
	clock := dbtest.NewClock()
	d, err := db.Open(ctx, file, db.Options{Now: clock.Now})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if _, _, err := d.Migrate(ctx); err != nil {
		return r, err
	}
	s := newStall(d, clock)
	quotes, err := s.stock(ctx, 30)
	if err != nil {
		return r, err
	}
	clear := map[string]bool{}
	for i, q := range quotes {
		if err := disk.leave(int64(i) * 4096); err != nil {
			return r, err
		}
		_, err := s.place(ctx, q)
		if err != nil {
			r.Refused++
			clear[fault.Message(err)+" | "+err.Error()] = true
		}
		if err := disk.empty(); err != nil {
			return r, err
		}
		if i%2 == 0 || err == nil {
			continue // this customer does not come back
		}
		if _, err := s.place(ctx, q); err != nil {
			r.Wrong = append(r.Wrong, "with room again: "+err.Error())
		}
	}
	for text := range clear {
		r.Errors = append(r.Errors, text)
		if !strings.Contains(text, "full") && !strings.Contains(text, "I/O error") {
			r.Wrong = append(r.Wrong, "not clear: "+text)
		}
	}
	if err := s.settle(ctx); err != nil {
		return r, err
	}
	ends, wrong := s.judge(ctx, quotes)
	r.Ends = ends
	for _, err := range wrong {
		r.Wrong = append(r.Wrong, err.Error())
	}
	return r, nil
}

// tmpfs is a disk of our own.
type tmpfs struct{ dir string }

func (f tmpfs) leave(bytes int64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(f.dir, &st); err != nil {
		return err
	}
	if n := int64(st.Bavail)*st.Bsize - bytes; n > 0 {
		return os.WriteFile(filepath.Join(f.dir, "filler"), make([]byte, n), 0o600)
	}
	return nil
}

func (f tmpfs) empty() error {
	err := os.Remove(filepath.Join(f.dir, "filler"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// fileSize is the kernel's limit on the size of files, for machines on which
// nobody may mount: the log of what was written cannot grow. The error is then
// another one, EFBIG, which SQLite calls an I/O error.
type fileSize struct{}

func (fileSize) leave(bytes int64) error {
	signal.Ignore(syscall.SIGXFSZ)
	wal, err := os.Stat("shop.db-wal")
	if err != nil {
		return err
	}
	return limitFiles(uint64(wal.Size() + bytes))
}

func (fileSize) empty() error { return limitFiles(math.MaxUint64) }

func limitFiles(n uint64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		return err
	}
	l.Cur = min(n, l.Max)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l)
}
