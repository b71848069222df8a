// Package text writes lists for messages.
package text
