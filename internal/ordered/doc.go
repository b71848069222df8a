// Package ordered computes a list of results on several goroutines and hands them over in the list's order.
package ordered
