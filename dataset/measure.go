package dataset

import (
	"context"
	"math"

	"github.com/pkg/errors"
	"gonum.org/v1/gonum/mat"

	"vgg/augment"
	"vgg/configs"
	"vgg/internal/ordered"
	"vgg/internal/threads"
)

// moments are sums over the pixels of pictures, from which mean and covariance follow. They are integers, and so exact
// up to 10^14 pixels.
type moments struct {
	pictures int
	pixels   int64
	sums     [3]int64
	products [3][3]int64 // [i][j] for j ≤ i
}

func (m *moments) picture(p augment.Picture) {
	m.pictures++
	m.pixels += int64(p.Width * p.Height)
	for at := 0; at < len(p.Pix); at += p.Channels {
		for i, v := range p.Pix[at : at+p.Channels] {
			m.sums[i] += int64(v)
			for j, w := range p.Pix[at : at+i+1] {
				m.products[i][j] += int64(v) * int64(w)
			}
		}
	}
}

func (m *moments) add(o moments) {
	m.pictures += o.pictures
	m.pixels += o.pixels
	for i := range m.sums {
		m.sums[i] += o.sums[i]
		for j := range m.sums {
			m.products[i][j] += o.products[i][j]
		}
	}
}

// Measure gives the statistics of the pixels of at most maxPictures pictures, evenly spaced; 0 takes all. For 3
// channels these include the principal components of the colours, which the colour shift of section 3.1 needs, the
// smallest eigenvalue first. Pictures that cannot be read go to skips; if skips is nil the first of them is an error.
func Measure(ctx context.Context, split Split, channels, maxPictures int, skips *Skips) (configs.Statistics, error) {
	if channels != 1 && channels != 3 {
		return configs.Statistics{}, errors.Errorf("dataset: pictures of %d channels: want 1 or 3", channels)
	}
	if maxPictures > 0 {
		split = Subset(split, maxPictures)
	}
	if split.Len() == 0 {
		return configs.Statistics{}, errors.New("dataset: no training pictures to measure")
	}
	var total moments
	for i, one := range ordered.Map(ctx, split.Len(), 2*threads.Count(), func(i int) measured { return measure(split, i, channels) }) {
		if one.err == nil {
			total.add(one.moments)
		} else if err := skips.Skip(split.Name(i), one.err); err != nil {
			return configs.Statistics{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return configs.Statistics{}, err
	}
	if total.pictures == 0 {
		return configs.Statistics{}, errors.New("dataset: none of the training pictures to measure can be read")
	}
	return total.statistics(channels)
}

// measured is what came of measuring a picture.
type measured struct {
	moments
	err error // the picture cannot be read
}

func measure(split Split, i, channels int) (m measured) {
	p, err := pictureOf(split, i, channels)
	if err != nil {
		return measured{err: err}
	}
	m.picture(p)
	return m
}

// pictureOf reads a picture, which must have the given number of channels.
func pictureOf(split Split, i, channels int) (augment.Picture, error) {
	p, err := split.Picture(i)
	if err == nil {
		err = checkChannels(p, split, i, channels)
	}
	return p, err
}

func checkChannels(p augment.Picture, split Split, i, channels int) error {
	if p.Channels != channels || len(p.Pix) != p.Width*p.Height*channels {
		return errors.Errorf("dataset %s: %d×%d pixels of %d channels in %d bytes: want %d channels", split.Name(i), p.Width, p.Height, p.Channels, len(p.Pix), channels)
	}
	return nil
}

func (m moments) statistics(channels int) (configs.Statistics, error) {
	s := configs.Statistics{Pictures: m.pictures}
	covariance := mat.NewSymDense(channels, nil)
	pixels := float64(m.pixels)
	for i := range channels {
		s.Mean[i] = float64(m.sums[i]) / pixels
		for j := range i + 1 {
			covariance.SetSym(i, j, float64(m.products[i][j])/pixels-s.Mean[i]*s.Mean[j])
		}
		s.Std[i] = math.Sqrt(math.Max(0, covariance.At(i, i)))
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
		s.Eigenvalues[k] = value
		for c := range channels {
			s.Eigenvectors[k][c] = vectors.At(c, k)
		}
	}
	return s, nil
}
