// Package trainer trains a VGG net as section 3.1 of the paper (arXiv 1409.1556) does: mini-batch gradient descent with
// momentum and weight decay, with a learning rate that is divided when the validation error stops falling. A net may also
// learn where the object is (appendix A).
//
// In goes a recipe of package configs, which names the net, the pictures and the weights to start from; out comes the
// history, and a run directory with the weights of the best and the last epoch, checkpoints, history, summary and log.
// An Observer follows each step and epoch. A run that was stopped or killed can be resumed, and ends with the same
// bits.
//
// Several ranks share each mini-batch, as the GPUs of section 3.3 do (Gradients), and leave the bits that one would.
//
// Train is the loop, SGD the update rule, which other training loops can use as a gorgonia.Solver, and ReduceOnPlateau
// the learning-rate schedule.
package trainer
