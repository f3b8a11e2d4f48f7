package support

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// A customer's file is refused, or has a kind that is known by its content, and a name
// that is a name: of one piece, with the ending of its kind, for every header and folder.
func FuzzFile(f *testing.F) {
	f.Add("passport.exe", []byte("%PDF-1.7\n"))
	f.Add("../../etc/passwd\x00.png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"))
	f.Add("a\u202egpj.exe", []byte("\xff\xd8\xff\xe0\x00\x10JFIF"))
	f.Add(`C:\x"; filename=y.html`, []byte("<html><script>"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		file := File{Name: name, Content: content}
		if file.check() != nil {
			return
		}
		endings := map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}
		if !slices.Contains(kinds, file.Kind) || !strings.HasSuffix(file.Name, endings[file.Kind]) || file.Bytes != len(content) {
			t.Errorf("%q is %q of kind %q", name, file.Name, file.Kind)
		}
		odd := func(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune(`/\:*?"<>|;`, r) }
		if !utf8.ValidString(file.Name) || strings.ContainsFunc(file.Name, odd) || strings.HasPrefix(file.Name, ".") || utf8.RuneCountInString(file.Name) > mostFileName+4 {
			t.Errorf("%q is called %q", name, file.Name)
		}
	})
}
