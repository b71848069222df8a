// Package evaluate tests trained nets as sections 3.2 and 4 of the paper (arXiv 1409.1556) do: on one crop of a picture,
// on the whole picture (dense), on a grid of crops, or on both; at one scale Q or several; with one net or several. The
// soft-max outputs are averaged.
//
// In go weights files and pictures. Run tests on the labelled pictures of a split: out come top-1 and top-5 errors with
// their intervals, a confusion matrix, and the prediction of each picture. Predict and Model.Predict take pictures
// whose class need not be known; a prediction has probabilities, logits and, if wanted, the features of appendix B.
//
// Localise finds the objects in pictures with nets that predict boxes (appendix A), by the paper's two tests, and
// LocalisationResult counts its errors; ScoreEntries scores a file of such answers.
//
// All use one engine. Other goroutines read and crop the next pictures while the net computes, and crops of the
// same shape are computed together, also if they are of several pictures. Predictions come in the order of the
// pictures. Which crops share a batch depends only on the pictures and the options, so predictions have the same bits
// for any number of threads.
package evaluate
