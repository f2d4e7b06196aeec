// Package pii is the family of what identifies people by a form that can be
// checked: cards, accounts, numbers that states, tax offices and health services
// give, phones, addresses of mail and of networks. The rules are data, a file for
// each country in rules/; the checksums are in Go.
//
// It never detects names or street addresses: that takes a model, and a pattern
// that pretended to would find half of them. It does no I/O and keeps nothing of
// what it reads.
package pii
