// Package splitmix has the increment and the output function of SplitMix64 (Steele, Lea & Flood 2014) from which
// counters become unrelated seeds: every random draw here is a function of a seed and of counters such as epoch,
// iteration and index.
package splitmix
