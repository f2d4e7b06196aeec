// Package dict holds the zstd dictionaries that the ledger compresses its
// entries with. They ship in the binary and never change once released: the id
// in a frame names the one that its reader needs. They are trained on made-up
// text only (see train), never on traffic, so that none of it is in them.
package dict

import _ "embed"

//go:generate go run ./train -out dict-1.zst -id 1

// Current is the id of the dictionary that new entries use.
const Current uint16 = 1

//go:embed dict-1.zst
var first []byte

// Get gives the dictionary with an id, in zstd's dictionary format (RFC 8878,
// section 5) with that id inside. The bytes are shared: don't change them.
func Get(id uint16) (data []byte, ok bool) {
	switch id {
	case 1:
		return first, true
	}
	return nil, false
}
