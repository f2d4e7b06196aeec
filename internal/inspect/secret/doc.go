// Package secret is the family of secrets: the token rules in
// rules/secret.yaml, detectors for what has a structure instead of a prefix
// (assignments, URLs, headers, keys, seeds, credential files), and the checks
// that tell a value from a placeholder, a reference or a name.
//
// It reads the bytes it is given and nothing else. It never keeps, prints or
// sends a value, never asks a provider whether one is valid, and never treats
// a comment in the text ("allow", "nosec") as a reason to look away.
package secret
