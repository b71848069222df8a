// Package page writes reports: Markdown of GitHub's dialect with its figures beside it, and the same as one HTML file that
// needs no other file and no network.
package page
