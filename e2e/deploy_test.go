package e2e

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
)

// deployment is how the shop is started by one of the files in deploy/.
type deployment struct {
	args []string // after the program's name
	env  []string
}

// The program that the container's file builds needs nothing of the machine, and opens a
// shop with exactly what the unit gives it, and with what the container does: it migrates,
// says that it is well, is ready once there is a catalogue, and ends when it is told to.
func TestTheDeploymentsOpenAShop(t *testing.T) {
	container := lines(t, "../deploy/Containerfile")
	file := builtAsDeployed(t, container)
	for name, of := range map[string]func(t *testing.T, state, secrets string) deployment{
		"unit":      func(t *testing.T, state, secrets string) deployment { return ofUnit(t, state, secrets) },
		"container": func(t *testing.T, state, secrets string) deployment { return ofContainer(t, container, state, secrets) },
	} {
		t.Run(name, func(t *testing.T) {
			state, secrets := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(secrets, "secret"), []byte("0123456789abcdef0123456789abcdef\n"), 0o400); err != nil {
				t.Fatal(err)
			}
			d := of(t, state, secrets)
			demo := filepath.Join(t.TempDir(), "catalogue.yaml")
			if err := os.WriteFile(demo, catalogue.DemoFile(), 0o600); err != nil {
				t.Fatal(err)
			}
			d.command(t, file, state, "migrate")
			d.opens(t, file, state, func(url string) {
				fetched(t, url+"/healthz", http.StatusOK, "ok")
				fetched(t, url+"/readyz", http.StatusServiceUnavailable, "not ready")
				d.command(t, file, state, "catalogue", "apply", demo)
				fetched(t, url+"/readyz", http.StatusOK, "ready")
				fetched(t, url+"/plans", http.StatusOK, "</html>")
			})
			if made, err := filepath.Glob(filepath.Join(state, "shop.db*")); err != nil || len(made) == 0 {
				t.Errorf("the database is not in the folder that is for it: %v %v", made, err)
			}
		})
	}
}

// systemd understands the unit without a warning, and finds it tight: removing one of the
// stronger walls makes this fail.
func TestTheUnitIsTight(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze on this machine: nobody has examined the unit")
	}
	unit, err := os.ReadFile("../deploy/tsuzuku.service")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tsuzuku.service")
	here := strings.ReplaceAll(string(unit), "/usr/local/bin/tsuzuku", "/bin/true") // a program that is there
	if err := os.WriteFile(file, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", file).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("verify: %v\n%s", err, out)
	}
	// 1.2 of 10 on systemd 252: a shop has to speak with the network.
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=13", file).CombinedOutput(); err != nil {
		t.Errorf("security: %v\n%s", err, out)
	}
}

// lines are those of a file that say something.
func lines(t *testing.T, name string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			all = append(all, l)
		}
	}
	return all
}

// after are the lines that begin with a word, without it.
func after(all []string, word string) (rest []string) {
	for _, l := range all {
		if r, ok := strings.CutPrefix(l, word); ok {
			rest = append(rest, strings.TrimSpace(r))
		}
	}
	return rest
}

// builtAsDeployed runs the container's own command for building, and looks at what it
// made and at what surrounds it.
func builtAsDeployed(t *testing.T, container []string) string {
	t.Helper()
	from, users := after(container, "FROM "), after(container, "USER ")
	if len(from) != 2 || from[1] != "scratch" || len(users) != 1 || strings.HasPrefix(users[0], "0") || strings.HasPrefix(users[0], "root") {
		t.Errorf("a container with more than the program, or of root: from %v, user %v", from, users)
	}
	needs := strings.Join(after(lines(t, "../go.mod"), "go "), "")
	if version, _, _ := strings.Cut(strings.TrimPrefix(from[0], "docker.io/library/golang:"), " "); !strings.HasPrefix(needs, version+".") {
		t.Errorf("built with Go %s, go.mod needs %s", version, needs)
	}
	i := slices.IndexFunc(after(container, "RUN "), func(l string) bool { return strings.Contains(l, "go build ") })
	if i < 0 {
		t.Fatal("nothing is built")
	}
	before, args, _ := strings.Cut(after(container, "RUN ")[i], "go build ")
	file := filepath.Join(t.TempDir(), "tsuzuku")
	build := exec.CommandContext(t.Context(), "go", append([]string{"build"}, strings.Fields(strings.Replace(args, "-o /tsuzuku ", "-o "+file+" ", 1))...)...)
	build.Dir, build.Env = "..", append(os.Environ(), strings.Fields(before)...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	if runtime.GOOS == "linux" {
		f, err := elf.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Error("the program wants a loader, which an empty container has not")
			}
		}
	}
	return file
}

// ofUnit is what systemd would give the program.
func ofUnit(t *testing.T, state, secrets string) deployment {
	t.Helper()
	unit := lines(t, "../deploy/tsuzuku.service")
	starts, credentials := after(unit, "ExecStart="), after(unit, "LoadCredential=")
	if len(starts) != 1 || !slices.Equal(credentials, []string{"secret:/etc/tsuzuku/secret"}) || !slices.Contains(unit, "StateDirectory=tsuzuku") {
		t.Fatalf("starts %v with %v", starts, credentials)
	}
	fill := strings.NewReplacer("%S/tsuzuku", state, "%d", secrets)
	d := deployment{args: strings.Fields(fill.Replace(starts[0]))[1:]}
	for _, e := range after(unit, "Environment=") {
		d.env = append(d.env, fill.Replace(e))
	}
	return d
}

// ofContainer is what a container would give it.
func ofContainer(t *testing.T, container []string, state, secrets string) deployment {
	t.Helper()
	var program, args []string
	for word, into := range map[string]*[]string{"ENTRYPOINT ": &program, "CMD ": &args} {
		if all := after(container, word); len(all) != 1 || json.Unmarshal([]byte(all[0]), into) != nil {
			t.Fatalf("%s: %v", word, all)
		}
	}
	if !slices.Equal(program, []string{"/tsuzuku"}) || !slices.Contains(container, "VOLUME /data") {
		t.Fatalf("starts %v", program)
	}
	fill := strings.NewReplacer("=/data/", "="+state+"/", "@/run/secrets/", "@"+secrets+"/")
	d := deployment{args: args}
	for _, e := range after(container, "ENV ") {
		d.env = append(d.env, strings.Fields(fill.Replace(e))...)
	}
	return d
}

// start prepares a command of the program, at an address that is free.
func (d deployment) start(t *testing.T, file, state string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), file, args...)
	c.Dir, c.Env = state, append([]string{"TZ=Asia/Tokyo"}, append(slices.Clone(d.env), "TSUZUKU_LISTEN=127.0.0.1:0")...)
	return c
}

func (d deployment) command(t *testing.T, file, state string, args ...string) {
	t.Helper()
	if out, err := d.start(t, file, state, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// opens starts the shop, calls look with its address, and lets it end.
func (d deployment) opens(t *testing.T, file, state string, look func(url string)) {
	t.Helper()
	shop := d.start(t, file, state, d.args...)
	out, err := shop.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shop.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = shop.Process.Kill() }() // where it has ended, there is nothing to kill
	var said strings.Builder
	for l := bufio.NewScanner(out); l.Scan(); {
		said.WriteString(l.Text() + "\n")
		if _, rest, ok := strings.Cut(l.Text(), `msg="the shop is open" address=`); ok {
			address, _, _ := strings.Cut(rest, " ")
			if !strings.Contains(l.Text(), "Z level=") {
				t.Errorf("the log is not in UTC: %s", l.Text())
			}
			look("http://" + address)
			if err := shop.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := shop.Wait(); err != nil || !strings.Contains(said.String(), "msg=closing") {
		t.Errorf("%v: %v\n%s", d.args, err, &said)
	}
}

func fetched(t *testing.T, url string, status int, says string) {
	t.Helper()
	client := http.Client{Timeout: time.Minute}
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close() // it was read
	if err != nil || r.StatusCode != status || !strings.Contains(string(body), says) {
		t.Errorf("%s: %d %v %s", url, r.StatusCode, err, body)
	}
}
