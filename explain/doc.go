// Package explain shows what in a picture a net's score of a class depends on, in three ways:
//
//   - the image-specific saliency map of Simonyan, Vedaldi and Zisserman (arXiv 1312.6034, section 3): the largest
//     absolute value, over the channels, of the score's gradient with regard to the pixels;
//   - Grad-CAM of Selvaraju et al. (arXiv 1610.02391, section 3): the feature maps of a layer, each weighted by the mean
//     of the score's gradient with regard to it, added up, and cut off below 0;
//   - occlusion of Zeiler and Fergus (arXiv 1311.2901, section 4.2), the check on both, which needs no gradients: how much
//     the score falls when a square of the picture is covered.
//
// A score is that before the soft-max, since a probability also changes with the scores of the other classes. Gradients
// are declared once for each shape of pictures, by Gorgonia's symbolic differentiation, for any class: an input of the
// graph chooses it in each run.
//
// PointingGame counts how often the largest value of a map lies on the object that the class names.
package explain
