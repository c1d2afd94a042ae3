// Package doctext reads the words of documents, so that they can be searched:
// plain text, HTML, the Office Open XML formats (docx, xlsx, pptx) and
// OpenDocument (odt, ods, odp).
//
// It promises to be bounded whatever it is given: at most MaxInput bytes of a
// file, at most maxUnpacked bytes out of an archive, at most MaxText bytes of
// text, and no deeper nesting of XML than maxDepth. What is beyond a bound is
// left out; Result.Cut says so. An archive whose list of entries is longer than
// maxDirectory is no document. A hostile one takes some hundred MB of memory for
// a moment, because one word of XML may be as long as maxUnpacked. It knows a document by what is in it, not by
// its name alone: a name only decides whether unmarked bytes are text.
//
// Plain text may be UTF-8, UTF-16 with a byte order mark, or GB 18030 (which
// holds GBK and GB 2312), as Windows in China writes it. Anything with control
// characters in it is no text.
//
// PDF is not read: no library that can be had reads the Chinese text of common
// PDF files reliably.
//
// It runs no goroutines and keeps nothing.
package doctext
