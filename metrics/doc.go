// Package metrics measures classification as the paper reports it, from the scores that a net or another machine gives
// to the classes, which may be logits or probabilities: top-1 and top-5 errors in percent, with their 95 % confidence
// intervals (section 4); what is confused, and how well probabilities are calibrated; precision and recall, the average
// precisions of VOC, and the mean class recall (appendix B).
// It needs only the standard library.
package metrics
