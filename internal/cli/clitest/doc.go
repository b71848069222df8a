// Package clitest lets the tests of a command run it as a process of its own, without building it again: the test
// binary starts itself and then behaves as the command. In go arguments and a folder; out come both outputs and the
// exit code.
package clitest
