package history

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzRead: what is read is written again as the same bytes.
func FuzzRead(f *testing.F) {
	f.Add([]byte(someHistoryCSV))
	f.Add([]byte(historyHeader + "1,2,3e-5,,,,+Inf,0.5,1,2,3,4\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := Decode(bytes.NewReader(data), "fuzz.csv")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.csv: ") {
				t.Errorf("error %v does not name the file", err)
			}
			return
		}
		var first, second bytes.Buffer
		if err := h.WriteCSV(&first); err != nil {
			t.Fatal(err)
		}
		again, err := Decode(bytes.NewReader(first.Bytes()), "again.csv")
		if err == nil {
			err = again.WriteCSV(&second)
		}
		if err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%v: %q read and written again is %q", err, &first, &second)
		}
	})
}
