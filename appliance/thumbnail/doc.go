// Package thumbnail makes small pictures of uploaded ones in a process of its
// own, because image decoders are where hostile files do their work.
//
// It owns a cache directory, which may be deleted at any time, and which
// nothing syncs:
//
//	<dir>/<64 hex>-<edge>      a JPEG or PNG; its first bytes say which
//	<dir>/<64 hex>.no          "unsupported", "too large", "damaged" or
//	                           "limits": there is no thumbnail of this content
//	<dir>/*.tmp                being written
//
// # The child
//
// The caller's executable, started with a hidden subcommand, calls ChildMain.
// It reads the picture from standard input and writes the thumbnail to standard
// output; it gets no environment of ours, no file names and no other open
// files. Before the first byte of the picture is sent, the parent has set its
// limits with prlimit: 256 MiB of data (RLIMIT_DATA; a Go process reserves more
// address space than RLIMIT_AS could allow, and counts only what it may write
// against RLIMIT_DATA), 10 s of CPU, no core file, no bytes written to files,
// 32 open files. It is killed after 15 s, and when it writes more than 4 MiB.
// Under systemd the unit must allow prlimit64; where it does not, Make fails.
//
// The child reads the header first and refuses what is over 40 megapixel, or
// would not fit into its memory, before it decodes. PNG, JPEG, GIF (its first
// frame) and WebP are understood. The result is at most maxEdge pixels wide and
// high, never larger than the picture, turned as the EXIF orientation of a JPEG
// says, and made of pixels alone: no metadata passes. It is a JPEG of quality
// 80, or a PNG when some of it is transparent.
//
// # Goroutines
//
// Make runs one that feeds the child; it ends before Make returns, so the
// picture's reader must not block for ever. Maker.Get runs one per thumbnail
// in the making; it ends when nobody waits for it any more, and with
// Maker.Close.
package thumbnail
