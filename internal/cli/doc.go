// Package cli is what the commands in cmd/ share: flags parsed by kong, errors printed in one line,
// and exit codes: 0 done, 1 failed, 2 wrong usage, 130, 143 or 138 interrupted by SIGINT, SIGTERM or SIGUSR1.
//
// A command passes Main a struct of flags and a function. Groups of flags that several commands take are structs to
// embed.
package cli
