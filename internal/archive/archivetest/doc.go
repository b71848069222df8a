// Package archivetest makes folders and archives for tests.
package archivetest
