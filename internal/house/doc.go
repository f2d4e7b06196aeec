// Package house holds the tests of the house itself: which package may import
// which, that each says what it is for, what we depend on. It has no code of
// its own.
package house
