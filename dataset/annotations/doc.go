// Package annotations reads the files that say where objects in pictures are: the XML files of VOC and ILSVRC, tables
// of boxes (Kaggle's LOC_*_solution.csv among them), the blacklist of ILSVRC's development kit; and reads and writes
// the result file of ILSVRC's localisation task.
//
// In goes a file's text; out come the objects of each picture, in pixels of the picture as it is stored, or in shares
// of its sides. Finding the files, and which picture is meant, is package dataset's.
package annotations
