package portal

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// coding is how an answer's bytes are packed: a content coding of RFC 9110, or
// "" for as they are.
type coding string

const (
	plain    coding = ""
	gzipped  coding = "gzip"
	brotlied coding = "br"
)

// codingFor reads an Accept-Encoding header: Brotli where it is as welcome as
// gzip, which is a tenth heavier.
func codingFor(header string) coding {
	br, gz := welcome(header, string(brotlied)), welcome(header, string(gzipped))
	switch {
	case br > 0 && br >= gz:
		return brotlied
	case gz > 0:
		return gzipped
	}
	return plain
}

// welcome is the weight that a header gives a coding, in thousandths; 0 where it
// does not name it.
func welcome(header, name string) int {
	for part := range strings.SplitSeq(header, ",") {
		one, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(one), name) {
			continue
		}
		q, given := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
		if !given {
			return 1000
		}
		return thousandths(q)
	}
	return 0
}

// thousandths reads a weight from 0 to 1 with at most three decimals; one that
// cannot be read counts as 0.
func thousandths(q string) int {
	whole, decimals, _ := strings.Cut(q, ".")
	if whole == "1" {
		return 1000
	}
	if whole != "0" || len(decimals) > 3 {
		return 0
	}
	n := 0
	for _, c := range decimals + "000"[len(decimals):] {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// packer is a compressor that can be used again; making one costs more than a
// page.
type packer interface {
	io.WriteCloser
	Reset(io.Writer)
}

// onTheFly is how hard pages are packed while somebody waits: beyond it a page
// becomes 2 % lighter and takes three times as long.
const onTheFly = 5

var packers = map[coding]*sync.Pool{
	brotlied: {New: func() any { return packer(brotli.NewWriterLevel(nil, onTheFly)) }},
	gzipped:  {New: func() any { return packer(gzip.NewWriter(nil)) }},
}

// pack packs a body.
func (c coding) pack(body []byte) []byte {
	pool := packers[c]
	if pool == nil {
		return body
	}
	p, ok := pool.Get().(packer)
	if !ok {
		return body // cannot happen: nothing else is in the pool
	}
	defer pool.Put(p)
	var out bytes.Buffer
	p.Reset(&out)
	if _, err := p.Write(body); errors.Join(err, p.Close()) != nil {
		return body // cannot happen: a buffer takes everything
	}
	return out.Bytes()
}

// packHard packs what is packed once and sent often.
func (c coding) packHard(body []byte) []byte {
	if c != brotlied {
		return c.pack(body)
	}
	var out bytes.Buffer
	p := brotli.NewWriterLevel(&out, brotli.BestCompression)
	if _, err := p.Write(body); errors.Join(err, p.Close()) != nil {
		return body // as above
	}
	return out.Bytes()
}

// tagOf is a strong entity tag: it names these bytes in this coding.
func tagOf(body []byte, c coding) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + string(c) + `"`
}

// unchanged reports whether the browser has what the tag names.
func unchanged(r *http.Request, tag string) bool {
	for one := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}
