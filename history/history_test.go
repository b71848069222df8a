package history

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const historyHeader = "epoch,iteration,learning_rate,train_loss,train_top1_error,train_top5_error," +
	"val_loss,val_top1_error,val_top5_error,images_per_second,seconds,loader_wait_percent,exchange_wait_percent\n"

var noFigure = math.NaN()

var someHistory = History{
	{1, 313, 0.01, 1.2345678, 43.21, 2.125, 0.65432189, 24.05, 0.4, 812.25, 12.5, 0.25, 1.5},
	{2, 626, 0.001, 0.00001234567, 100, noFigure, math.Inf(1), 0, noFigure, 1e4, 0.0625, 100, 0},
	{74, 370000, 1e-05, noFigure, noFigure, noFigure, noFigure, noFigure, noFigure, 0, 0, 0, 0},
}

const someHistoryCSV = historyHeader +
	"1,313,0.01,1.23457,43.2100,2.1250,0.654322,24.0500,0.4000,812.250,12.500,0.250,1.500\n" +
	"2,626,0.001,1.23457e-05,100.0000,,+Inf,0.0000,,10000.000,0.062,100.000,0.000\n" +
	"74,370000,1e-05,,,,,,,0.000,0.000,0.000,0.000\n"

func TestWriteCSV(t *testing.T) {
	var b bytes.Buffer
	if err := someHistory.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != someHistoryCSV {
		t.Errorf("got\n%swant\n%s", &b, someHistoryCSV)
	}
}

// TestWriteErrors: what Read would refuse is not written.
func TestWriteErrors(t *testing.T) {
	for want, e := range map[string]Epoch{
		`history: epoch 2, learning_rate: "" is not a number`: {Epoch: 2, LearningRate: noFigure},
		"history: epoch 3, seconds: +Inf is not finite":       {Epoch: 3, Seconds: math.Inf(1)},
		"history: epoch 4, val_top1_error: 100.1000 is not a": {Epoch: 4, ValTop1Error: 100.1},
	} {
		if err := (History{{Epoch: 1}, e}).WriteCSV(io.Discard); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.csv")
	for _, h := range []History{someHistory, nil, someHistory[:1]} {
		var written bytes.Buffer
		if err := h.WriteCSV(&written); err != nil {
			t.Fatal(err)
		}
		first := written.Bytes()
		if err := os.WriteFile(path, first, 0o666); err != nil {
			t.Fatal(err)
		}
		read, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(read) != len(h) {
			t.Fatalf("%d epochs read, %d written", len(read), len(h))
		}
		var second bytes.Buffer
		if err := read.WriteCSV(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second.Bytes()) {
			t.Errorf("read and written again:\n%swas\n%s", &second, first)
		}
		for i, e := range read {
			if e.LearningRate != h[i].LearningRate || e.Epoch != h[i].Epoch || e.Iteration != h[i].Iteration {
				t.Errorf("read %+v, wrote %+v", e, h[i])
			}
			if d := math.Abs(e.TrainLoss-h[i].TrainLoss) / h[i].TrainLoss; d > 5e-6 {
				t.Errorf("training loss %v, wrote %v", e.TrainLoss, h[i].TrainLoss)
			}
		}
	}
}

// TestOlder reads a file without the last column, which older versions wrote.
func TestOlder(t *testing.T) {
	older := strings.NewReplacer(",exchange_wait_percent", "", ",0.250,1.500", ",0.250", "100.000,0.000", "100.000", "0.000,0.000,0.000,0.000", "0.000,0.000,0.000").Replace(someHistoryCSV)
	h, err := Decode(strings.NewReader(older), "older")
	if err != nil || len(h) != 3 || h[0].LoaderWaitPercent != 0.25 || h[0].ExchangeWaitPercent != 0 {
		t.Errorf("%+v, error %v", h, err)
	}
}

func TestReadErrors(t *testing.T) {
	row := func(fields string) string { return historyHeader + fields + "\n" }
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "not even a header"},
		{"short header", "epoch,iteration\n", "2 columns where 13 are expected"},
		{"other header", strings.Replace(historyHeader, "val_loss", "loss", 1), `line 1, column 7: "loss" where "val_loss" is expected`},
		{"short row", row("1,2,3"), "line 2: wrong number of fields"},
		{"quote", row(`1,2"`), "line 2, column"},
		{"epoch", row("x,2,0.1,1,1,1,1,1,1,1,1,1,1"), `line 2, column 1 (epoch): "x" is not a count`},
		{"negative", row("1,-2,0.1,1,1,1,1,1,1,1,1,1,1"), `column 2 (iteration): "-2" is not a count`},
		{"rate", row("1,2,,1,1,1,1,1,1,1,1,1,1"), `column 3 (learning_rate): "" is not a number`},
		{"infinite rate", row("1,2,Inf,1,1,1,1,1,1,1,1,1,1"), "column 3 (learning_rate): Inf is not finite"},
		{"NaN time", row("1,2,1,1,1,1,1,1,1,1,NaN,1,1"), "column 11 (seconds): NaN is not finite"},
		{"percent", row("1,2,1,1,101,1,1,1,1,1,1,1,1"), "column 5 (train_top1_error): 101 is not a percentage"},
		{"negative percent", row("1,2,1,1,1,1,1,-1,1,1,1,1,1"), "column 8 (val_top1_error): -1 is not a percentage"},
		{"order", someHistoryCSV + "74,1,1,1,1,1,1,1,1,1,1,1,1\n", "line 5, column 1 (epoch): epoch 74 follows epoch 74"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "history.csv")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want %s: … %s", err, path, c.want)
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "history.csv")
	if _, err := Read(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v does not name %s", err, missing)
	}
}

func TestBest(t *testing.T) {
	if e, ok := (History{{Epoch: 1, ValTop1Error: noFigure}}).Best(); ok {
		t.Errorf("best of no error at all: %+v", e)
	}
	h := History{
		{Epoch: 1, ValTop1Error: noFigure}, {Epoch: 2, ValTop1Error: 13}, {Epoch: 3, ValTop1Error: 12.1},
		{Epoch: 4, ValTop1Error: 12.1}, {Epoch: 5, ValTop1Error: 12.5},
	}
	if e, ok := h.Best(); !ok || e.Epoch != 3 {
		t.Errorf("best %+v, want epoch 3", e)
	}
	tie := 200.0 / 3 // is written as 66.6667
	var b bytes.Buffer
	if err := (History{{Epoch: 1, ValTop1Error: tie}}).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	read, err := Decode(&b, "one")
	if e, ok := append(read, Epoch{Epoch: 2, ValTop1Error: tie}).Best(); err != nil || !ok || e.Epoch != 1 {
		t.Errorf("of two equal epochs, one of them read back, the best is %+v, %v", e, err)
	}
}
