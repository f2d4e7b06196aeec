package index

import "fmt"

// LimitPages makes the file take no more pages, as a full disk does.
func LimitPages(x *Index, n int) error {
	_, err := x.write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", n))
	return err
}

// Stretch makes n flows what is added up at a time, until it is set back.
func Stretch(n int) (back func()) {
	before := stretch
	stretch = n
	return func() { stretch = before }
}
