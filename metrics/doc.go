// Package metrics measures classification as the paper reports it (section 4): top-1 and top-5 errors in percent, with
// their 95 % confidence intervals, from the scores that a net gives to the classes. Scores may be logits or
// probabilities. It needs only the standard library.
package metrics
