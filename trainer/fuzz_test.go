package trainer

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"vgg/weights"
)

// FuzzProgress: a checkpoint with any text as its progress, properly sealed, is read or refused.
func FuzzProgress(f *testing.F) {
	f.Add(`{"format":1,"epoch":2,"step":3,"iteration":11,"schedule":{"learning_rate":0.01,"best":20.5,"since":1,"divisions":0,"started":true},"done":false,"pass":{"loss":1.5,"top1":3,"top5":1,"pictures":24},"history":` +
		`"epoch,iteration,learning_rate,train_loss,train_top1_error,train_top5_error,val_loss,val_top1_error,val_top5_error,images_per_second,seconds,loader_wait_percent\n1,8,0.01,1,50,,1,40,,100,1,0\n",` +
		`"skipped":[{"picture":"a","reason":"b"}],"seconds":3,"pass_seconds":1,"pass_waited":0,"recipe":"name = \"quick\"","data":"00"}`)
	f.Add(`{"format":1,"epoch":-1}`)
	f.Add(`{"format":1e400}`)
	f.Fuzz(func(t *testing.T, text string) {
		file := weights.File{Metadata: map[string]string{progressKey: text}, Tensors: []weights.Tensor{{Name: "w", Shape: []int{2}, Data: []float32{1, 2}}}}
		if err := file.Seal(); err != nil {
			t.Fatal(err)
		}
		p, h, err := decodeProgress(&file)
		if err != nil {
			return
		}
		if p.Epoch < 1 || p.Step < 0 || p.Iteration < 0 || math.IsNaN(p.Schedule.LearningRate) {
			t.Errorf("%+v", p)
		}
		for i := range h {
			if i > 0 && h[i].Epoch <= h[i-1].Epoch {
				t.Errorf("%+v", h)
			}
		}
	})
}

// FuzzCheckpoint: a file of any bytes is not loaded unless it is what was written.
func FuzzCheckpoint(f *testing.F) {
	dir := f.TempDir()
	whole := weights.File{Metadata: map[string]string{progressKey: `{"format":1,"epoch":1,"history":"epoch,iteration,learning_rate,train_loss,train_top1_error,train_top5_error,val_loss,val_top1_error,val_top5_error,images_per_second,seconds,loader_wait_percent\n"}`},
		Tensors: []weights.Tensor{{Name: "w", Shape: []int{2}, Data: []float32{1, 2}}, {Name: velocityPrefix + "w", Shape: []int{2}, Data: []float32{3, 4}}}}
	if err := whole.Seal(); err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := weights.Encode(&b, whole); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	whole.Format = "safetensors"
	for i := range whole.Tensors {
		whole.Tensors[i].DType = "F32"
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "fuzz.safetensors")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		read, err := weights.Read(path)
		if err != nil {
			return
		}
		if _, _, err := decodeProgress(read); err == nil && !reflect.DeepEqual(*read, whole) {
			t.Errorf("%q is loaded", data)
		}
	})
}
