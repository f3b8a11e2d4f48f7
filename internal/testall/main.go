// Command testall is what make and CI run: every test on both engines under the
// race detector, the linter, the fuzz targets. It installs what is missing from
// Debian's packages and Go's modules when it runs as root.
//
//	testall          all tests, with fixed seeds
//	testall soak     the property tests, with fresh seeds and twenty times as many cases, and then towns
//	testall towns 3  the simulated town with fresh seeds on both engines, three rounds; adds to docs/town-runs.txt
//	testall lint     format, vet, golangci-lint
//	testall fmt      rewrite to the house's format
//	testall fuzz     every fuzz target for half a minute
//	testall vuln     govulncheck, where its database answers
//	testall chaos    the real program, tormented; see internal/chaos, whose flags may follow
//	testall lighthouse  Lighthouse over the demo's pages; needs Node.js and npm
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// The versions of the tools that are not in go.mod, because nothing imports them.
const (
	golangciLint = "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"
	govulncheck  = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"
	stripeMock   = "github.com/stripe/stripe-mock@v0.203.0"

	lighthouseVersion = "12.8.2" // the last that runs with Node.js 20, which Debian has
)

// pkgFile is a file that is needed, and the Debian package that brings it.
type pkgFile struct{ file, pkg string }

// debian is what the tests need.
var debian = []pkgFile{
	{"/usr/lib/postgresql/*/bin/initdb", "postgresql"},
	{"/usr/bin/chromium", "chromium"},
	{"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk"},
	{"/usr/lib/python3/dist-packages/aiosmtpd", "python3-aiosmtpd"},
	{"/usr/bin/radclient", "freeradius-utils"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	verb := "test"
	if len(os.Args) > 1 {
		verb = os.Args[1]
	}
	verbs := map[string]func(context.Context) error{"test": test, "soak": soak, "towns": towns, "lint": lint, "fmt": format, "fuzz": fuzz, "vuln": vuln, "chaos": chaos, "lighthouse": lighthouse}
	do, ok := verbs[verb]
	if !ok {
		fmt.Fprintf(os.Stderr, "testall: no %q; there are test, soak, towns, lint, fmt, fuzz, vuln, chaos, lighthouse\n", verb)
		os.Exit(2)
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "testall:", err)
		os.Exit(1)
	}
}

// seed makes the property tests the same in every run.
const seed = "-rapid.seed=20261123"

const module = "github.com/tsuzuku/tsuzuku"

// sequential are packages that run without the race detector. In e2e it would make
// the stories four times as long, browsers and all, and their parts are tested with
// it in their own packages, as is what bench lets run side by side; in the others
// nothing does, neither in the code nor in the tests, and it would find nothing.
var sequential = []string{
	"arch", "audit", "backup", "bench", "calls", "cmd/tsuzuku", "docs", "e2e", "e2e/towns", "exchange", "fault", "intake", "locale", "message/messagetest", "money",
	"portal/prose", "reminder", "renewal", "seal", "stock", "support", "ui", "world/canaries",
}

// partly are packages of which the race detector watches these tests only. In their
// others one browser, one visitor, or one Step comes after another.
var partly = map[string][]string{
	"account": {"TestGuessingSideBySide", "TestOneSessionPerCode", "TestSignUpSideBySide"},
	"order": {
		"TestAHangingOperatorLeavesWorkers", "TestBasketsOfTheSameLinesAtOnce", "TestManyTapsAreOneCharge", "TestOneTapLimit",
		"TestOrderAndDisputeAtOnce", "TestSameBasketManyTimes", "TestSameQuoteManyTimesIsOneOrder", "TestSetAsideIsNotSpentTwice",
		"TestSpendingAndDisputeAtOnce", "TestTabsAndBellsAtOnce", "TestTwoRepairersAtOnce",
	},
	"portal": {"TestOpenPageIsToldOfChanges", "TestSameFormTwiceMakesOneOrder"},
}

// longest is the package that takes longest, with one story after another. It begins
// with the others, so that no core waits for it at the end.
const longest = module + "/e2e"

// test runs every test: under the race detector, but for the packages that are
// sequential, or partly, and, in others, the tests that ask for that by racetest.Skip;
// these run after it.
func test(ctx context.Context) error {
	return withPeers(ctx, func(env []string) error {
		all, err := packages(ctx)
		if err != nil {
			return err
		}
		blind := []string{"test", "-vet=off", "-timeout=40m"} // lint vets
		watched := slices.Concat(blind, []string{"-race"}, notRaced())
		// Side by side: the last package of either alone would leave a core idle.
		// What go test prints of one package stays together.
		lane := func(property bool, flags ...string) error {
			raced := func(p pkg) bool { return p.property == property && !p.sequential && p.watched == nil }
			rest := func(p pkg) bool {
				return p.property == property && p.name != longest && (p.sequential || p.watched != nil)
			}
			errs := []error{
				run(ctx, env, "go", slices.Concat(watched, names(all, raced), flags)...),
				run(ctx, env, "go", slices.Concat(blind, names(all, rest), flags)...),
			}
			for _, p := range all {
				if p.property != property {
					continue
				}
				if p.watched != nil {
					errs = append(errs, run(ctx, env, "go", slices.Concat(watched, []string{only(p.watched), p.name}, flags)...))
				}
				if len(p.skip) > 0 {
					errs = append(errs, run(ctx, env, "go", slices.Concat(blind, []string{only(p.skip), p.name}, flags)...))
				}
			}
			return errors.Join(errs...)
		}
		var plain, stories error
		var beside sync.WaitGroup
		beside.Go(func() { stories = run(ctx, env, "go", append(blind, longest)...) })
		beside.Go(func() { plain = lane(false) })
		random := lane(true, seed)
		beside.Wait()
		return errors.Join(stories, plain, random)
	})
}

// only are the flags that run these tests.
func only(tests []string) string { return "-run=^(" + strings.Join(tests, "|") + ")$" }

// notRaced compiles the translated C of the pure-Go SQLite without the race
// detector: it is 24 times slower under it, and is not what is looked for here. Nor
// is the YAML of the shops' catalogues, which nearly every test reads first.
// Nothing else may be left out. A package that uses a generic type of the
// standard library, such as [sync.Map], brings its own copy of that type's code
// into the program, and the linker keeps one copy for all; if that one is blind,
// the detector sees races wherever the type is what orders two goroutines.
func notRaced() (flags []string) {
	for _, library := range []string{"modernc.org/sqlite/lib", "modernc.org/libc/...", "go.yaml.in/yaml/v3"} {
		flags = append(flags, "-gcflags="+library+"=-race=false")
	}
	return flags
}

// soak looks for what the fixed seeds do not show. A failure prints its seed,
// which then becomes a case of its own.
func soak(ctx context.Context) error {
	properties := withPeers(ctx, func(env []string) error {
		all, err := packages(ctx)
		if err != nil {
			return err
		}
		random := names(all, func(p pkg) bool { return p.property })
		return run(ctx, env, "go", slices.Concat([]string{"test", "-count=1", "-timeout=4h"}, random, []string{"-rapid.checks=2000"})...)
	})
	return errors.Join(properties, towns(ctx))
}

// pkg is one of the house's packages.
type pkg struct {
	name       string
	property   bool     // it has property tests, and only then knows the flags of their library
	sequential bool     // see [sequential]
	watched    []string // see [partly]
	skip       []string // tests that run without the race detector only
}

// packages lists the house's packages.
func packages(ctx context.Context) (all []pkg, err error) {
	const format = `{{.ImportPath}} {{.Dir}} {{join .TestImports ","}},{{join .XTestImports ","}}`
	out, err := exec.CommandContext(ctx, "go", "list", "-f", format, "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		p := pkg{
			name: words[0], property: strings.Contains(words[2], "pgregory.net/rapid"),
			sequential: slices.Contains(sequential, strings.TrimPrefix(words[0], module+"/")),
			watched:    partly[strings.TrimPrefix(words[0], module+"/")],
		}
		if strings.Contains(words[2], module+"/internal/racetest") {
			if p.skip, err = skipping(words[1]); err != nil {
				return nil, err
			}
		}
		all = append(all, p)
	}
	return all, nil
}

var testHead = regexp.MustCompile(`^(Test\w+)\(t \*testing\.T\) \{\n\t(.*)`)

// skipping names the tests of a folder that begin with racetest.Skip. One that calls
// it later, or another function that does, would run nowhere, and is an error.
func skipping(dir string) (tests []string, err error) {
	const call = "racetest.Skip("
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		source, err := os.ReadFile(file) //nolint:gosec // a file of this repository
		if err != nil {
			return nil, err
		}
		for _, function := range strings.Split(string(source), "\nfunc ") {
			if !strings.Contains(function, call) {
				continue
			}
			m := testHead.FindStringSubmatch(function)
			if m == nil || !strings.HasPrefix(m[2], call) {
				name, _, _ := strings.Cut(function, "(")
				return nil, fmt.Errorf("%s: %s calls %s…) where testall does not find it, and something would run nowhere", file, name, call)
			}
			tests = append(tests, m[1])
		}
	}
	return tests, nil
}

func names(all []pkg, which func(pkg) bool) (out []string) {
	for _, p := range all {
		if which(p) {
			out = append(out, p.name)
		}
	}
	return out
}

// withPeers does something beside the independent programs that tests need.
func withPeers(ctx context.Context, do func(env []string) error) error {
	if err := install(ctx, debian); err != nil {
		return err
	}
	mock, err := tool(ctx, stripeMock)
	if err != nil {
		return err
	}
	url, stop, err := cluster(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return do([]string{"TSUZUKU_TEST_POSTGRES=" + url, "TSUZUKU_STRIPE_MOCK=" + mock})
}

// install brings Debian's packages that are missing. Who is not root is told
// what to install.
func install(ctx context.Context, needed []pkgFile) error {
	var missing []string
	for _, d := range needed {
		found, err := filepath.Glob(d.file)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			missing = append(missing, d.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("these Debian packages are missing; install them, or run this as root: %s", strings.Join(missing, " "))
	}
	fmt.Fprintln(os.Stderr, "testall: installing", strings.Join(missing, " "))
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := run(ctx, env, "apt-get", "update", "-qq"); err != nil {
		return err
	}
	return run(ctx, env, "apt-get", append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)...)
}

// tool installs a Go program under the user's cache, once per version, and
// returns its path.
func tool(ctx context.Context, module string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path, version, _ := strings.Cut(module, "@")
	dir := filepath.Join(cache, "tsuzuku-tools", version)
	binary := filepath.Join(dir, filepath.Base(path))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	return binary, run(ctx, []string{"GOBIN=" + dir, "GOFLAGS=-mod=mod"}, "go", "install", module)
}

// cluster starts a throw-away PostgreSQL for the whole run.
func cluster(ctx context.Context) (url string, stop func(), err error) {
	binary := filepath.Join(os.TempDir(), fmt.Sprintf("tsuzuku-pgserver-%d", os.Getpid()))
	if err := run(ctx, nil, "go", "build", "-o", binary, "./internal/dbtest/pgserver"); err != nil {
		return "", nil, err
	}
	cmd := exec.Command(binary) //nolint:gosec,noctx // our own program, ended by closing its input
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = in.Close() // tells it to stop
		_ = cmd.Wait() // its own complaints went to stderr
		_ = os.Remove(binary)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the test cluster did not start: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

func lint(ctx context.Context) error {
	binary, err := tool(ctx, golangciLint)
	if err != nil {
		return err
	}
	return errors.Join(
		run(ctx, nil, "go", "vet", "./..."),
		run(ctx, nil, binary, "fmt", "--diff"),
		run(ctx, nil, binary, "run", "--timeout=15m"),
	)
}

func format(ctx context.Context) error {
	binary, err := tool(ctx, golangciLint)
	if err != nil {
		return err
	}
	return run(ctx, nil, binary, "fmt")
}

// vuln runs govulncheck. Where its database cannot be reached nothing was
// checked, and that is said and is no failure.
func vuln(ctx context.Context) error {
	binary, err := tool(ctx, govulncheck)
	if err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(limit, binary, "./...").CombinedOutput() //nolint:gosec // a tool we installed
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 3 {
		fmt.Fprintf(os.Stderr, "%s\n", out)
		return errors.New("govulncheck found something")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "govulncheck NOT RUN")
	}
	return nil
}

// lighthouse installs Lighthouse once per version under the user's cache, and has it
// judge the demo's pages.
func lighthouse(ctx context.Context) error {
	if err := install(ctx, debian); err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	dir := filepath.Join(cache, "tsuzuku-tools", "lighthouse-"+lighthouseVersion)
	binary := filepath.Join(dir, "node_modules", ".bin", "lighthouse")
	if _, err := os.Stat(binary); err != nil {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
		if err := run(ctx, nil, "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "lighthouse@"+lighthouseVersion); err != nil {
			return err
		}
	}
	return run(ctx, nil, "go", "test", "-v", "-count=1", "-timeout=40m", "-run=^TestLighthouse$", longest, "-lighthouse="+binary)
}

var target = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

func fuzz(ctx context.Context) error {
	files, err := exec.CommandContext(ctx, "git", "ls-files", "*_test.go").Output()
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range strings.Fields(string(files)) {
		source, err := os.ReadFile(file) //nolint:gosec // a file of this repository
		if err != nil {
			return err
		}
		for _, m := range target.FindAllSubmatch(source, -1) {
			errs = append(errs, run(ctx, nil, "go", "test", "-run=^$", "-fuzz=^"+string(m[1])+"$", "-fuzztime=30s", "./"+filepath.Dir(file)))
		}
	}
	return errors.Join(errs...)
}

func run(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // names are constants of this program
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
