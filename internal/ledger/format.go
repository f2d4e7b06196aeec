package ledger

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
)

// formatVersion is the version of the folder's layout. 1 had the meta of
// intents and outcomes as JSON, which is still read; 2 had no keys made ahead.
const formatVersion = 3

const formatPrefix = "gatehouse ledger, format "

// checkFormat writes the version into a new folder, raises an older one's, and
// refuses a newer one.
func checkFormat(d disk.FS, name string) error {
	current := fmt.Appendf(nil, "%s%d\n", formatPrefix, formatVersion)
	data, err := disk.Get(d, name)
	if errors.Is(err, fs.ErrNotExist) {
		return disk.Put(d, name, current)
	}
	if err != nil {
		return fmt.Errorf("reading format of the data folder: %w", err)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(string(data)), formatPrefix)
	version, err := strconv.Atoi(text)
	if !ok || err != nil {
		return fmt.Errorf("%s does not say that this is a ledger's folder", name)
	}
	if version > formatVersion {
		return fmt.Errorf("the data folder was written by a newer Gatehouse (format %d; this one knows %d): use that version, or another folder", version, formatVersion)
	}
	if version < formatVersion {
		return disk.Put(d, name, current)
	}
	return nil
}

// loadKEK reads the key-encryption key, or makes it for a folder that has no
// keys yet. A folder with keys and without it can't be opened by a new one.
func loadKEK(d disk.FS, name, ring string) ([]byte, error) {
	data, err := disk.Get(d, name)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKEK(d, name, ring)
	}
	if err != nil {
		return nil, fmt.Errorf("reading key-encryption key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(key) != keys.Size {
		return nil, fmt.Errorf("%s does not hold a key of %d bytes in hex", name, keys.Size)
	}
	return key, nil
}

func makeKEK(d disk.FS, name, ring string) ([]byte, error) {
	if f, err := d.Open(ring); err == nil {
		f.Close()
		return nil, fmt.Errorf("%s is missing, and the keys in %s need it", name, ring)
	}
	key := make([]byte, keys.Size)
	rand.Read(key)
	if err := disk.Put(d, name, []byte(hex.EncodeToString(key)+"\n")); err != nil {
		return nil, fmt.Errorf("making key-encryption key: %w", err)
	}
	return key, nil
}

// checkKeys refuses a folder whose keys are gone: new ones would be made, and what is then
// sealed with them could never be read beside what was there before.
func (l *Ledger) checkKeys(ring string) error {
	numbers, err := l.numbers()
	if err != nil || len(numbers) == 0 {
		return err
	}
	f, err := l.o.FS.Open(ring)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing, and the segments need it: put it back, or use another folder", ring)
	}
	if err != nil {
		return fmt.Errorf("opening keys: %w", err)
	}
	return f.Close()
}
