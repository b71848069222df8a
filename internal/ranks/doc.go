// Package ranks holds what processes that work together must have in common to compute the same.
package ranks
