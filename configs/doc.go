// Package configs is the paper as data: what a net is made of, how it is trained, and what the authors measured. It
// covers Tables 1 and 2 (section 2), the training of section 3.1, Tables 3 to 7 (section 4), Tables 8 to 10 (appendix
// A), and Tables 11 and 12 (appendix B) of Simonyan & Zisserman, arXiv 1409.1556.
//
// In come names, TOML files and single keys with their values. Package graph takes a [Config], whose [Config.Layers]
// every other package loops over, package trainer a [Recipe], and the packages that print comparisons take the reported
// errors. The two types that data and nets share, the training scale S ([Scale]) and the statistics of the pixels
// ([Statistics]), are here too.
package configs
