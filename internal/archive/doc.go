// Package archive lists the files of a folder, or of a zip, tar or gzipped tar archive, and reads them in any order and
// from any number of goroutines, without unpacking them (a gzipped archive is unpacked once, into the user's cache
// folder). It knows nothing of what is in the files.
//
// In goes the path of an archive or a file system; out comes a Tree: the paths in order, each with its place, and the
// contents of any of them. It is no fs.FS, because its users hold on to a million files by place, four bytes each, and
// ask for all that is in a folder as a range of places. The list of a large tar archive is kept beside it (index.go),
// so that the second opening takes a second or two instead of reading the whole archive.
//
// Hard and symbolic links in an archive stand for what they lead to; of several files of one path the last counts,
// which is noted; what systems leave for themselves, such as __MACOSX, is not listed. Names are UTF-8 or refused.
//
// Archives are taken to be hostile: paths and links that lead out, devices, encrypted or incomplete entries and those
// that unpack to much more than their size are errors. Errors name the entry but not the archive, which the caller
// knows.
package archive
