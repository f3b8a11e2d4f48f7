package backup

import (
	"archive/zip"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// manifest is what an archive says of itself.
type manifest struct {
	Format int    `json:"tsuzuku_backup"` // 1
	Data   string `json:"data"`           // the entry that holds the database
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Facts
}

const (
	format       = 1
	manifestName = "manifest.json"
	manifestMax  = 1 << 20
)

// nameOf is the entry that holds a database.
func nameOf(e db.Engine) string {
	if e == db.PostgreSQL {
		return "database.dump"
	}
	return "database.sqlite"
}

// pack writes an archive and synchronises it.
func pack(archive, data string, facts Facts) (err error) {
	out, err := os.OpenFile(archive, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // beside what the engineer chose
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	in, err := os.Open(data) //nolint:gosec // the copy just made
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it is only read

	z := zip.NewWriter(out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	m := manifest{Format: format, Data: nameOf(facts.Engine), Facts: facts}
	how := zip.Deflate
	if facts.Engine == db.PostgreSQL {
		how = zip.Store // a dump is compressed already
	}
	w, err := z.CreateHeader(&zip.FileHeader{Name: m.Data, Method: how, Modified: facts.TakenAt})
	if err != nil {
		return err
	}
	sum := sha256.New()
	if m.Bytes, err = io.Copy(io.MultiWriter(w, sum), in); err != nil {
		return err
	}
	m.SHA256 = hex.EncodeToString(sum.Sum(nil))
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if w, err = z.CreateHeader(&zip.FileHeader{Name: manifestName, Method: zip.Store, Modified: facts.TakenAt}); err != nil {
		return err
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return out.Sync()
}

// spoilt says what to do about a file that is no backup, or is one no longer.
func spoilt(archive string, err error) error {
	return fault.Wrap(fault.Invalid, err, "%s is no backup of Tsuzuku, or it was cut short or changed after it was made. "+
		"Nothing of it was used. Take another backup, or copy this one again from where it is kept.", archive)
}

// unpack writes the database of an archive into a directory, and returns what it
// must hold. What is not exactly what was packed is refused.
func unpack(archive, dir string) (Facts, string, error) {
	z, err := zip.OpenReader(archive)
	if err != nil {
		if _, ok := errors.AsType[*os.PathError](err); ok {
			return Facts{}, "", fault.Wrap(fault.Invalid, err, "The file %s cannot be opened. Check its name and permissions.", archive)
		}
		return Facts{}, "", spoilt(archive, err)
	}
	defer z.Close() //nolint:errcheck // it is only read
	m, err := readManifest(z)
	if err != nil {
		return Facts{}, "", spoilt(archive, err)
	}
	if m.Format != format {
		return Facts{}, "", fault.New(fault.Invalid, "%s was made by a newer version of Tsuzuku, in a form that this one does not know. Install the newer program.", archive)
	}
	data := filepath.Join(dir, nameOf(m.Engine))
	if err := extract(z, m, archive, data); err != nil {
		return Facts{}, "", err
	}
	return m.Facts, data, nil
}

func readManifest(z *zip.ReadCloser) (m manifest, err error) {
	f, err := z.Open(manifestName)
	if err != nil {
		return m, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	text, err := io.ReadAll(io.LimitReader(f, manifestMax))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

// extract writes the database of an archive into a file that does not exist.
func extract(z *zip.ReadCloser, m manifest, archive, file string) (err error) {
	in, err := z.Open(nameOf(m.Engine))
	if err != nil {
		return spoilt(archive, err)
	}
	defer in.Close()                                                        //nolint:errcheck // it is only read
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // a scratch directory of ours
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	sum := sha256.New()
	read := &reader{in: io.LimitReader(in, m.Bytes+1)} // a bomb ends here
	n, err := io.Copy(io.MultiWriter(out, sum), read)
	switch {
	case read.err != nil:
		return spoilt(archive, read.err)
	case err != nil:
		return full(filepath.Dir(file), err)
	case n != m.Bytes || hex.EncodeToString(sum.Sum(nil)) != m.SHA256:
		return spoilt(archive, errors.New("its digest is another"))
	}
	return out.Sync()
}

// reader tells an error of reading from one of writing.
type reader struct {
	in  io.Reader
	err error
}

// Read implements [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}
