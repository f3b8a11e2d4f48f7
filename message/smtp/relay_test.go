package smtp_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/message/messagetest"
	"github.com/tsuzuku/tsuzuku/message/smtp"
)

// now is when all letters of these tests are sent.
var now = time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)

// relay is a real SMTP server in a process of its own.
type relay struct {
	port int
	tls  *tls.Config // to trust it
	in   io.Writer
	echo chan string

	mu       sync.Mutex
	arrived  []arrival
	onSilent func()
}

type arrival struct {
	To   []string
	Raw  []byte
	TLS  bool
	User string
}

// startRelay starts testdata/server.py. The test is skipped where Python's
// aiosmtpd is not installed, and fails in CI.
func startRelay(t *testing.T, security smtp.Security, user, password string) *relay {
	t.Helper()
	python := findPython(t)
	cert, key, trust := certificate(t)
	cmd := exec.CommandContext(t.Context(), python, "testdata/server.py", string(security), cert, key, user, password)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &relay{in: in, echo: make(chan string), tls: &tls.Config{RootCAs: trust, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	var first struct{ Port int }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &first) != nil {
		_ = cmd.Wait()
		t.Fatalf("the relay does not start: %s", trouble.String())
	}
	r.port = first.Port
	var reading sync.WaitGroup
	reading.Go(func() { r.read(lines) })
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait()
	})
	return r
}

func (r *relay) read(lines *bufio.Scanner) {
	defer close(r.echo)
	for lines.Scan() {
		var e struct {
			arrival
			Silent bool
			Echo   string
		}
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		r.mu.Lock()
		switch {
		case e.Echo != "":
			r.echo <- e.Echo
		case e.Silent:
			r.onSilent()
		default:
			r.arrived = append(r.arrived, e.arrival)
		}
		r.mu.Unlock()
	}
}

// letters are those that have arrived. The server reports one before it
// answers, but the report travels through a pipe; the echo comes after it.
func (r *relay) letters(t *testing.T) []arrival {
	t.Helper()
	if _, err := io.WriteString(r.in, "and now?\n"); err != nil {
		t.Fatal(err)
	}
	if <-r.echo == "" {
		t.Fatal("the relay has ended")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.arrived
}

// forget makes the relay as good as new.
func (r *relay) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived, r.onSilent = nil, nil
}

func (r *relay) received(t *testing.T) []messagetest.Received {
	t.Helper()
	var out []messagetest.Received
	for _, a := range r.letters(t) {
		out = append(out, parse(t, a))
	}
	return out
}

// parse reads a mail with the standard library, which did not write it.
func parse(t *testing.T, a arrival) messagetest.Received {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(a.Raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, a.Raw)
	}
	for name, values := range m.Header {
		if len(values) != 1 {
			t.Errorf("header %s appears %d times", name, len(values))
		}
	}
	for _, line := range strings.SplitAfter(string(a.Raw), "\n") {
		if len(line) > 1000 || strings.HasSuffix(line, "\n") && !strings.HasSuffix(line, "\r\n") {
			t.Errorf("line %.60q… of %d bytes breaks RFC 5322", line, len(line))
		}
	}
	words := mime.WordDecoder{}
	subject, err := words.DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(strings.Trim(m.Header.Get("Message-Id"), "<>"), "@")
	got := messagetest.Received{ID: id, To: a.To, Subject: subject}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "multipart/alternative" {
		got.Text = decode(t, m.Header.Get("Content-Transfer-Encoding"), m.Body)
		return got
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		content := decode(t, p.Header.Get("Content-Transfer-Encoding"), p)
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			got.HTML = content
		} else {
			got.Text = content
		}
	}
}

func decode(t *testing.T, encoding string, r io.Reader) string {
	t.Helper()
	if !strings.EqualFold(encoding, "quoted-printable") {
		t.Fatalf("encoding %q", encoding)
	}
	b, err := io.ReadAll(quotedprintable.NewReader(r))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func findPython(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import aiosmtpd").Run() == nil {
			return python
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Python with aiosmtpd: apt-get install python3-aiosmtpd")
	}
	t.Skip("NOT TESTED AGAINST A REAL MAIL SERVER: no Python with aiosmtpd (apt-get install python3-aiosmtpd)")
	return ""
}

// certificate makes a certificate for 127.0.0.1.
func certificate(t *testing.T) (certFile, keyFile string, trust *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der},
		keyFile:  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust = x509.NewCertPool()
	trust.AddCert(parsed)
	return certFile, keyFile, trust
}
