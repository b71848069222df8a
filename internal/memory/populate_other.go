//go:build !linux

package memory

// populate does nothing: other systems give each page when it is touched.
func populate([]byte) {}

// enlarge does nothing: other systems choose their pages themselves.
func enlarge([]byte) {}
