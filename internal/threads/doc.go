// Package threads counts the threads that compute. There are as many as runtime.GOMAXPROCS says, but for those that
// Set keeps for the exchange of messages with other processes: Go's scheduler lets a goroutine that comes back from a
// call of C wait for one that computes, up to 10 ms, and then the one that computes for the next call of C.
package threads
