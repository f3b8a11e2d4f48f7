package portal

import (
	"embed"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/ui"
)

//go:embed static/shop.js static/sw.js
var staticFiles embed.FS

// statics are all files that never change while the program runs; read once.
var statics = loadStatics()

// static is one file, packed once.
type static struct {
	media  string
	body   map[coding][]byte
	tag    string // of its plain bytes
	always bool   // its address names its contents: it never changes
}

// staticSet finds files by the last part of their address.
type staticSet struct {
	files   map[string]static
	address func(name string) string // where a file is, by its own name
}

func loadStatics() staticSet {
	set := staticSet{files: map[string]static{}}
	addresses := map[string]string{}
	add := func(name, media string, body []byte, always bool) {
		f := static{media: media, tag: tagOf(body, plain), always: always, body: map[coding][]byte{plain: body}}
		if !strings.HasPrefix(media, "image/") {
			f.body[brotlied], f.body[gzipped] = brotlied.packHard(body), gzipped.packHard(body)
		}
		at := name
		if always {
			ext := path.Ext(name)
			at = strings.TrimSuffix(name, ext) + "-" + strings.Trim(f.tag, `"`)[:8] + ext
		}
		set.files[at], addresses[name] = f, "/static/"+at
	}
	for _, name := range []string{"shop.js", "sw.js"} {
		body, err := staticFiles.ReadFile("static/" + name)
		if err != nil {
			panic(err) // it is part of the program
		}
		add(name, "text/javascript; charset=utf-8", ui.Compact(body), name != "sw.js")
	}
	for _, i := range ui.Icons() {
		add(i.Name, "image/png", i.PNG, true)
	}
	set.address = func(name string) string { return addresses[name] }
	return set
}

// worker serves the service worker, whose address must not change and must be
// at the top: a worker rules over what lies beneath it.
func (s *Server) worker(w http.ResponseWriter, r *http.Request) { statics.serve(w, r, "sw.js") }

func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	statics.serve(w, r, r.PathValue("name"))
}

func (set staticSet) serve(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := set.files[name]
	h := w.Header()
	if !ok {
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	c := codingFor(r.Header.Get("Accept-Encoding"))
	if f.body[c] == nil {
		c = plain
	}
	tag := strings.TrimSuffix(f.tag, `"`) + string(c) + `"`
	h.Set("Content-Type", f.media)
	h.Set("ETag", tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.always {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if unchanged(r, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if c != plain {
		h.Set("Content-Encoding", string(c))
	}
	h.Set("Content-Length", strconv.Itoa(len(f.body[c])))
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.body[c]) // the customer has left; nothing to do about it
	}
}
