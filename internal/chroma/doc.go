// Package chroma interpolates subsampled components and converts luminance and chroma to RGB with libjpeg's default
// arithmetic, which Pillow, OpenCV, Caffe and torchvision use too. Its sources are the JFIF specification and the
// pixels that libjpeg-turbo's djpeg gives.
package chroma
