package kernel

// ToNHWC copies src (N, C, H, W) to dst (N, H, W, C).
func ToNHWC(dst, src []float32, n, c, h, w int) {
	size := c * h * w
	for i := range n {
		transpose(dst[i*size:][:size], c, src[i*size:][:size], h*w, c, h*w)
	}
}

// ToNCHW copies src (N, H, W, C) to dst (N, C, H, W).
func ToNCHW(dst, src []float32, n, c, h, w int) {
	size := c * h * w
	for i := range n {
		transpose(dst[i*size:][:size], h*w, src[i*size:][:size], c, h*w, c)
	}
}
