package splitmix

// Gamma is the increment of the sequence: odd, so that its multiples are all different, and far apart.
const Gamma = 0x9e3779b97f4a7c15

// Mix is the output function: a bijection of which every output bit depends on every input bit. Generator number s
// gives Mix(s + Gamma), Mix(s + 2·Gamma) and so on.
func Mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
