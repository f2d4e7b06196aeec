// Package web serves the console's page: the files that `make web` built from
// the sources beside it, out of the binary. It knows no flow and asks nobody
// who they are; what the page shows it gets from the admin API.
package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Policy is the Content-Security-Policy of the page: its own script and style,
// no other host, nothing within a line of HTML. Captured images are data: URLs.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const page = "index.html"

// offline is the folder of what files of sessions are read with. It is no place of
// the page, and is not served.
const offline = "offline"

// Offline gives the script and the style that a session as one file is read with.
// They ask for nothing. Without the built files (tag noui) ok is false.
func Offline() (script, style []byte, ok bool) {
	if built == nil {
		return nil, nil, false
	}
	script, err := fs.ReadFile(built, offline+"/offline.js")
	if err != nil {
		return nil, nil, false
	}
	style, err = fs.ReadFile(built, offline+"/offline.css")
	return script, style, err == nil
}

// Files answers GET and HEAD for the page's files; any other path that a
// browser goes to is a place within the page. Make one with New.
type Files struct {
	files map[string]*file // by path, without the first slash
}

// New reads the built files. Without them (tag noui) every place is a line that
// says so.
func New() *Files {
	f := &Files{files: map[string]*file{}}
	if built == nil {
		return f
	}
	// Files within the binary can be read.
	_ = fs.WalkDir(built, ".", func(name string, d fs.DirEntry, err error) error {
		if name == offline {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(built, name)
		f.files[name] = newFile(name, data)
		return err
	})
	return f
}

// Has reports whether path is one of the files, other than the page itself.
func (f *Files) Has(path string) bool {
	name := strings.TrimPrefix(path, "/")
	_, ok := f.files[name]
	return ok && name != page
}

// ServeHTTP answers with the file, or with the page.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", Policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	name := strings.TrimPrefix(r.URL.Path, "/")
	found, ok := f.files[name]
	if !ok {
		name = page
		found, ok = f.files[name]
	}
	if !ok {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		w.Write([]byte("This gatehouse was built without the console's page (tag noui). The admin API and the command line are there.\n"))
		return
	}
	h.Set("Cache-Control", "no-cache") // asked for each time; the ETag saves the rest
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable") // the name holds a hash
	}
	found.serve(w, r)
}

type file struct {
	name, kind, tag string
	data            []byte
	packed          func(coding string) []byte // nil: smaller as it is
}

func newFile(name string, data []byte) *file {
	sum := sha256.Sum256(data)
	f := &file{name: name, kind: kinds[path.Ext(name)], tag: hex.EncodeToString(sum[:8]), data: data}
	if f.kind == "" {
		f.kind = mime.TypeByExtension(path.Ext(name))
	}
	if len(data) > 1<<10 {
		f.packed = packer(data)
	}
	return f
}

// kinds do not hang on the tables of the system that the binary runs on.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".md":   "text/plain; charset=utf-8",
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h, data, tag := w.Header(), f.data, f.tag
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	if coding := best(r.Header.Get("Accept-Encoding")); coding != "" && f.packed != nil && r.Header.Get("Range") == "" {
		data, tag = f.packed(coding), tag+"-"+coding
		h.Set("Content-Encoding", coding)
		h.Set("Content-Length", strconv.Itoa(len(data)))
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
