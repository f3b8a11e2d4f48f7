package arch

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// secrets are what nobody may put into the repository: keys of providers that move
// real money, and of places that keep code; in their owners' own formats, with
// what each begins with.
var secrets = []struct {
	what, mark string
	like       *regexp.Regexp
}{
	{"a live key of Stripe", "_live_", regexp.MustCompile(`[sr]k_live_[0-9A-Za-z]{10,}`)},
	{"an access token of PayPal", "access_token$production$", regexp.MustCompile(`access_token\$production\$[0-9a-z]{16}`)},
	{"a key of Amazon", "AKIA", regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`)},
	{"a key of Google", "AIza", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"a token of GitHub", "ghp_", regexp.MustCompile(`\bghp_[0-9A-Za-z]{36}`)},
	{"a token of GitHub", "github_pat_", regexp.MustCompile(`github_pat_[0-9A-Za-z_]{40,}`)},
	{"a token of GitLab", "glpat-", regexp.MustCompile(`\bglpat-[0-9A-Za-z_-]{20}`)},
	{"a token of Slack", "xox", regexp.MustCompile(`\bxox[abprs]-[0-9A-Za-z-]{10,}`)},
	{"a token of Telegram", ":AA", regexp.MustCompile(`\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}`)},
	{privateKey, "PRIVATE KEY", regexp.MustCompile(`-----BEGIN ([A-Z]+ )*PRIVATE KEY-----\s+[0-9A-Za-z+/=]{40}`)},
}

const privateKey = "a private key"

// Nothing in the repository opens anything. Keys that belong to published or made-up
// vectors lie in testdata.
func TestNoSecretIsInTheRepository(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if e != nil && e.Name() == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		if !e.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		vectors := strings.Contains(filepath.ToSlash(path), "/testdata/")
		for _, secret := range secrets {
			if !bytes.Contains(text, []byte(secret.mark)) || vectors && secret.what == privateKey {
				continue
			}
			if at := secret.like.Find(text); at != nil {
				t.Errorf("%s holds %s: %.12s…", path, secret.what, at)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 500 {
		t.Errorf("only %d files were looked at", seen)
	}
}
