package annotations

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// LargestXML is the size in bytes above which an XML file is none of boxes.
const LargestXML = 1 << 22

// ParseXML reads the XML file of a picture, as VOC and ILSVRC have them:
//
//	annotation/{size/{width,height}, object*/{name, bndbox/{xmin,ymin,xmax,ymax}}}
//
// All else in it is ignored, the picture's file name too, which in some of ILSVRC's is "%s". A file without objects is
// a picture without boxes. Errors give the line, or the number of the object from 1.
func ParseXML(data []byte) (Picture, error) {
	var parsed struct {
		XMLName xml.Name `xml:"annotation"`
		Size    struct {
			Width  string `xml:"width"`
			Height string `xml:"height"`
		} `xml:"size"`
		Objects []struct {
			Name string `xml:"name"`
			Box  *struct {
				XMin string `xml:"xmin"`
				YMin string `xml:"ymin"`
				XMax string `xml:"xmax"`
				YMax string `xml:"ymax"`
			} `xml:"bndbox"`
		} `xml:"object"`
	}
	if len(data) > LargestXML {
		return Picture{}, errors.Errorf("longer than %d bytes", LargestXML)
	}
	if err := xml.NewDecoder(bytes.NewReader(data)).Decode(&parsed); err != nil {
		return Picture{}, errors.Wrap(err, "no XML file of boxes")
	}
	width, height, err := size(parsed.Size.Width, parsed.Size.Height)
	if err != nil {
		return Picture{}, err
	}
	var p Picture
	for i, o := range parsed.Objects {
		if o.Box == nil {
			return Picture{}, errors.Errorf("object %d, %.40q, has no bndbox", i+1, o.Name)
		}
		corners, err := numbers(o.Box.XMin, o.Box.YMin, o.Box.XMax, o.Box.YMax)
		if err == nil {
			err = p.add(strings.TrimSpace(o.Name), corners, width, height)
		}
		if err != nil {
			return Picture{}, errors.Wrapf(err, "object %d", i+1)
		}
	}
	return p, nil
}

// size reads the sides of a picture: 0 and 0 if they are missing or 0.
func size(width, height string) (w, h float64, err error) {
	if width, height = strings.TrimSpace(width), strings.TrimSpace(height); width == "" && height == "" {
		return 0, 0, nil
	}
	sides, err := numbers(width, height, "0", "0")
	if w, h = sides[0], sides[1]; err == nil && (!(w >= 0 && h >= 0 && w <= mostPixels && h <= mostPixels) || (w == 0) != (h == 0)) {
		err = errors.Errorf("a picture of %.40q×%.40q pixels", width, height)
	}
	return w, h, err
}

// numbers reads four numbers.
func numbers(words ...string) (values [4]float64, err error) {
	for i, word := range words {
		if values[i], err = strconv.ParseFloat(strings.TrimSpace(word), 64); err != nil {
			return values, errors.Errorf("%.40q is no number", word)
		}
	}
	return values, nil
}
