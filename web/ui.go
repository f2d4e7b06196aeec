//go:build !noui

package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

var built = sub(dist)

func sub(f embed.FS) fs.FS {
	files, err := fs.Sub(f, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return files
}
