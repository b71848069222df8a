// Package jpeg decodes JPEG files to the samples that libjpeg gives by default: with its accurate integer transform,
// its interpolation of chroma and its rules for colours. Go's image/jpeg rounds the transform otherwise, and hands out
// no coefficients from which to compute it anew.
//
// It reads baseline, extended sequential and progressive files of 8 bits a sample, coded by Huffman, with 1, 3 or 4
// components and all sampling factors that divide the largest. Other kinds are refused by their names, and so are files
// that are cut off or damaged, which libjpeg fills with grey. Blocks of a progressive file without its last scans are
// not smoothed.
//
// Sources: ITU-T T.81 (JPEG; its sections are named in the code), T.871 (JFIF) and T.872 (Adobe's segment); Loeffler,
// Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989; and the pixels
// that libjpeg-turbo's djpeg gives, for the precision and the order of roundings.
package jpeg
