//go:build !linux

package memory

// advise does nothing: other systems choose the size of pages themselves.
func advise([]byte) {}
