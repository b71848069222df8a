package splitmix

import "testing"

// The first outputs of the reference implementation (S. Vigna's splitmix64.c) for the seed 1234567.
func TestReference(t *testing.T) {
	s := uint64(1234567)
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		s += Gamma
		if got := Mix(s); got != want {
			t.Errorf("output %d is %d: want %d", i, got, want)
		}
	}
}
