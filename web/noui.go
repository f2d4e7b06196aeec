//go:build noui

package web

import "io/fs"

var built fs.FS
