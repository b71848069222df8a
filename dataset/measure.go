package dataset

import (
	"math"
	"runtime"
	"sync"

	"github.com/pkg/errors"
	"gonum.org/v1/gonum/mat"

	"vgg/augment"
)

// Statistics describe the pixels of a split, in 0–255 units.
type Statistics struct {
	Mean, Std []float64 // of each channel
	PCA       augment.PCA
	Pictures  int // from which they are taken
}

// moments are sums over the pixels of some pictures.
type moments struct {
	pixels   float64
	sums     [3]float64
	products [3][3]float64
}

func (m *moments) add(o moments) {
	m.pixels += o.pixels
	for i := range m.sums {
		m.sums[i] += o.sums[i]
		for j := range m.sums {
			m.products[i][j] += o.products[i][j]
		}
	}
}

// momentsOf counts in integers, so the sums are exact.
func momentsOf(p augment.Picture) moments {
	var sums [3]int64
	var products [3][3]int64
	for at := 0; at < len(p.Pix); at += p.Channels {
		for i, v := range p.Pix[at : at+p.Channels] {
			sums[i] += int64(v)
			for j, w := range p.Pix[at : at+i+1] {
				products[i][j] += int64(v) * int64(w)
			}
		}
	}
	m := moments{pixels: float64(len(p.Pix) / p.Channels)}
	for i := range sums {
		m.sums[i] = float64(sums[i])
		for j := range sums {
			m.products[i][j] = float64(products[max(i, j)][min(i, j)])
		}
	}
	return m
}

// Measure takes mean, standard deviation and principal components of the pixels of at most maxPictures pictures,
// evenly spaced; 0 takes all. Sums are in float64 and in the order of the pictures.
func Measure(split Split, channels, maxPictures int) (Statistics, error) {
	if maxPictures > 0 {
		split = Subset(split, maxPictures)
	}
	if split.Len() == 0 {
		return Statistics{}, errors.New("dataset: no training pictures to measure")
	}
	each := make([]moments, split.Len())
	failed := make([]error, split.Len())
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(each); i += workers {
				p, err := split.Picture(i)
				if failed[i] = err; err == nil {
					each[i] = momentsOf(p)
				}
			}
		})
	}
	wait.Wait()
	var total moments
	for i, m := range each {
		if failed[i] != nil {
			return Statistics{}, failed[i]
		}
		total.add(m)
	}
	return total.statistics(channels, len(each))
}

func (m moments) statistics(channels, pictures int) (Statistics, error) {
	s := Statistics{Pictures: pictures}
	covariance := mat.NewSymDense(channels, nil)
	for i := range channels {
		s.Mean = append(s.Mean, m.sums[i]/m.pixels)
		for j := range i + 1 {
			covariance.SetSym(i, j, m.products[i][j]/m.pixels-s.Mean[i]*s.Mean[j])
		}
		s.Std = append(s.Std, math.Sqrt(math.Max(0, covariance.At(i, i))))
	}
	if channels != 3 {
		return s, nil
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return s, errors.New("dataset: the colours' covariance has no principal components")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	for k, value := range eigen.Values(nil) {
		s.PCA.Eigenvalues[k] = value
		for c := range channels {
			s.PCA.Eigenvectors[k][c] = vectors.At(c, k)
		}
	}
	return s, nil
}
