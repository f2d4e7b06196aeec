package split

// Sizes of the chunks of a body that is cut by its content, in bytes. A chunk
// ends where the last bytes say so (a gear hash), so that an insertion moves
// the cuts beside it only; on average after 8 KB.
const (
	minChunk  = 4 << 10
	maxChunk  = 32 << 10
	chunkBits = 12 // 4 KB more, on average, behind minChunk
)

// chunk cuts the body by its content, into blocks outside of any field.
func (d *Doc) chunk(base *Doc) *Doc {
	shared := 0
	d.Pieces = make([]Piece, 0, 1+len(d.Body)/(minChunk+1<<chunkBits))
	if base != nil && !base.cut {
		shared = commonPrefix(d.Body, base.Body)
		d.Pieces = append(d.Pieces, base.Pieces[:whole(base, shared)]...)
	}
	start := 0
	for i := range d.Pieces {
		start = d.Pieces[i].End
	}
	for start < len(d.Body) {
		end := start + cut(d.Body[start:])
		d.Pieces = append(d.Pieces, Piece{Start: start, End: end, Kind: Block, Run: -1})
		start = end
	}
	for i := range d.Pieces {
		d.Pieces[i].Same = -1
		if end := d.Pieces[i].End; end <= shared && i < len(base.Pieces) && base.Pieces[i].End == end {
			d.Pieces[i].Same = i
		}
	}
	return d
}

// whole counts the pieces of the base that lie within the shared bytes. The
// last one ends because the body does, and is left out.
func whole(base *Doc, shared int) int {
	n := 0
	for n < len(base.Pieces)-1 && base.Pieces[n].End <= shared {
		n++
	}
	return n
}

// cut gives the length of the chunk that b begins with.
func cut(b []byte) int {
	if len(b) <= minChunk {
		return len(b)
	}
	b = b[:min(len(b), maxChunk)]
	var hash uint64
	for i := minChunk - 64; i < len(b); i++ {
		hash = hash<<1 + gear[b[i]]
		if i >= minChunk && hash>>(64-chunkBits) == 0 {
			return i + 1
		}
	}
	return len(b)
}

// gear gives each byte 64 random bits that are the same forever (splitmix64
// from zero): stored chunks are found again by the same cuts.
var gear = func() (table [256]uint64) {
	var x uint64
	for i := range table {
		x += 0x9e3779b97f4a7c15
		z := x
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		table[i] = z ^ z>>31
	}
	return table
}()
