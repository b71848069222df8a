// Package reproduce repeats section 4 of the paper (arXiv 1409.1556) in miniature: it trains the paper's nets on any
// data set, tests them by the paper's protocols, and sets Tables 3 to 6 beside the paper's.
//
// In goes a [Plan]: a recipe, seeds and a folder. [Run] fills the folder with a run directory for each net, the
// predictions of each test, a small record of each training and its tests, and a report in Markdown and HTML, which is
// made of the records. [RunBoxes] does the same for Tables 8 and 9 (appendix A), [RunFeatures] for appendix B, and
// [RunSizes] for nets A and E on several numbers of training pictures. What the folders already hold is not computed again, so that running a plan a second time
// continues an interrupted run, and records can be carried elsewhere. Tests on pictures held out stay sealed until they
// are opened.
package reproduce
