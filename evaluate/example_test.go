package evaluate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/graph"
	"vgg/weights"
)

// check ends an example that fails.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// trained is a small net of two classes; usually foreign.Read reads it from a file.
func trained() *weights.File {
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, 3, 32, 32)
	net, err := graph.Build(x, configs.A, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 16, Seed: 1})
	check(err)
	info := weights.Info{Config: "A", Width: 1.0 / 16, FC: 16, Input: 32, Channels: 3, Classes: []string{"cat", "dog"},
		Mean: []float64{124, 117, 104}, Std: []float64{1, 1, 1}, Scale: configs.Scale{Min: 36, Max: 36}}
	return &weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}
}

// picture is a PNG file.
func picture() *bytes.Buffer {
	var file bytes.Buffer
	check(png.Encode(&file, image.NewRGBA(image.Rect(0, 0, 60, 40))))
	return &file
}

// A net inside an HTTP handler. A Model is for one goroutine at a time, so a pool holds one for each request that is
// served at once; they share their weights. Other requests wait.
func ExampleModel_Predict_server() {
	model, err := evaluate.NewModel("net A", trained())
	check(err)
	pool := make(chan *evaluate.Model, 2)
	for range cap(pool) {
		pool <- model.Share()
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		picture, err := dataset.Decode(http.MaxBytesReader(w, r.Body, 20<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		m := <-pool
		answers, err := m.Predict(evaluate.Options{}, picture)
		pool <- m
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		best := answers[0].Ranking()[0]
		_ = json.NewEncoder(w).Encode(map[string]any{"class": model.Info.Classes[best], "probability": answers[0].Probabilities[best]})
	}
	server := httptest.NewServer(http.HandlerFunc(handler))
	defer server.Close()

	var status [8]string
	var running sync.WaitGroup
	for i := range status {
		running.Go(func() {
			response, err := http.Post(server.URL, "image/png", picture())
			check(err)
			defer response.Body.Close()
			var answer struct {
				Class       string
				Probability float64
			}
			check(json.NewDecoder(response.Body).Decode(&answer))
			status[i] = fmt.Sprint(response.StatusCode, " ", answer.Probability >= 0.5)
		})
	}
	running.Wait()
	fmt.Println(strings.Join(status[:], ", "))
	response, err := http.Post(server.URL, "text/plain", strings.NewReader("no picture"))
	check(err)
	response.Body.Close()
	fmt.Println(response.Status)
	// Output:
	// 200 true, 200 true, 200 true, 200 true, 200 true, 200 true, 200 true, 200 true
	// 400 Bad Request
}

// Features of appendix B: the values of fc7, averaged over mirrored crops and all places at two scales, of norm 1.
func ExampleModel_Predict_features() {
	model, err := evaluate.NewModel("net A", trained())
	check(err)
	defer model.Close()
	p, err := dataset.Decode(picture())
	check(err)
	answers, err := model.Predict(evaluate.Options{Protocol: configs.Dense, Scales: []int{36, 64}, Features: "fc7"}, p)
	check(err)
	sum := 0.0
	for _, v := range answers[0].Features {
		sum += v * v
	}
	fmt.Printf("%d features, norm %.3f\n", len(answers[0].Features), sum)
	// Output: 16 features, norm 1.000
}
