// Package chroma turns luminance and chroma, of which there may be fewer samples than pixels, into RGB, with the arithmetic
// that libjpeg uses by default, and that Pillow, OpenCV, Caffe and torchvision thus have. Its sources are the JFIF
// specification and the pixels that libjpeg-turbo's djpeg gives.
package chroma
