// Package bar is the progress bar of all commands.
package bar
