// Package e2e tells stories about the real program: the built binary, the whole
// house in a process that is killed at its worst moments, PostgreSQL behind a
// bad cable, a full disk, and a browser. It has nothing but tests.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package e2e
