// Package augment turns decoded pictures into inputs of a net: the resizing, random crops, mirroring and colour shift
// that section 3.1 of the paper (arXiv 1409.1556) trains with, the centre crop that validation takes, and any crop that
// the tests of section 3.2 ask for.
//
// In go a Picture of 8 bits per channel and a Transform that says what to do with it; out come float32 values
// (C, H, W), normalised by the mean and the standard deviation of the training pictures. There is no state: every
// random draw is a function of (seed, epoch, index).
package augment
