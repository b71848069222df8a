// Package featurefile writes the features of pictures to files for other programs: tables (.csv), or NumPy's arrays
// (.npy) with the pictures' names beside them; and maps as arrays.
package featurefile
