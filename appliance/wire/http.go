package wire

// Paths of the HTTP side of the protocol.
const (
	PathAPI     = "/api/"        // POST PathAPI + method
	PathSocket  = "/api/ws"      // the WebSocket
	PathUploads = "/api/uploads" // resumable uploads, tus 1.0.0 (https://tus.io/protocols/resumable-upload)
	PathFiles   = "/files/"      // GET PathFiles + id + "/" + name, with ranges; … + "/thumbnail/" + edge
)

// HeaderFile is the response header with the id of the file that a finished
// upload became. The PATCH that finishes an upload carries it, and so does
// HEAD of a finished upload.
const HeaderFile = "Posthouse-File"

// Keys of the Upload-Metadata header of tus; the values travel in base 64.
const (
	MetaName     = "filename"    // name of the file
	MetaType     = "filetype"    // media type; the server decides in the end
	MetaVoice    = "voice"       // "1": recorded as a voice note
	MetaDuration = "duration_ms" // length of a voice note
	MetaOwner    = "owner"       // account that the file will belong to; from the operator, who must name one
	MetaImport   = "import"      // a name made by an import: the same name again is the same file; from the operator
)
