package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write openapi.json")

// The document that is checked in, and served, is what the code does.
func TestDocumentIsWhatTheCodeDoes(t *testing.T) {
	made, err := json.MarshalIndent((&Server{}).describe(http.NewServeMux()).OpenAPI(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	made = append(made, '\n')
	if *update {
		if err := os.WriteFile("openapi.json", made, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(made, Document) {
		t.Error("openapi.json is not what the code does; look at what changes for those who build on it, and run go test ./api -run Document -update")
	}
}
