package app_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// grep fails when a word stands in any file of a folder.
func grep(t *testing.T, dir string, words ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, word := range words {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%q stands in %s", word, path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// folderSize adds up what the files of a folder hold.
func folderSize(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
