// Package atomicfile writes files whole or not at all: under a temporary name in the same folder, synced, then renamed
// over what was there. Whatever fails before the rename leaves the old file as it was.
package atomicfile
