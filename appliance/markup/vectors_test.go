package markup

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write what the parser says into testdata/vectors.json; read the diff")

const vectorsFile = "testdata/vectors.json"

// vector is one case of testdata/vectors.json, which webui's test reads too.
type vector struct {
	Text     string   `json:"text"`
	Tree     []Block  `json:"tree"`
	Plain    string   `json:"plain"`
	HTML     string   `json:"html"`
	Mentions []string `json:"mentions,omitempty"`
	All      bool     `json:"all,omitempty"`
}

func TestVectors(t *testing.T) {
	vectors := readVectors(t)
	if len(vectors) < 120 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	for i, want := range vectors {
		got := vector{Text: want.Text, Tree: Parse(want.Text), Plain: Plain(want.Text), HTML: HTML(want.Text)}
		got.Mentions, got.All = Mentions(want.Text)
		if !*update && !reflect.DeepEqual(asJSON(t, got), asJSON(t, want)) {
			t.Errorf("vector %d\n got %s\nwant %s", i, asJSON(t, got), asJSON(t, want))
		}
		vectors[i] = got
	}
	if *update {
		writeVectors(t, vectors)
	}
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// writeVectors writes one vector a line, so that a diff shows the cases.
func writeVectors(t *testing.T, vectors []vector) {
	t.Helper()
	var lines [][]byte
	for _, v := range vectors {
		lines = append(lines, asJSON(t, v))
	}
	data := append([]byte("[\n"), bytes.Join(lines, []byte(",\n"))...)
	if err := os.WriteFile(vectorsFile, append(data, "\n]\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	var w bytes.Buffer
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(w.Bytes())
}
