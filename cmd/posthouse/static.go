package main

import (
	"crypto/sha256"
	"encoding/hex"

	"posthouse/appliance/gate"
	"posthouse/appliance/lancert"
	"posthouse/appliance/reference"
	"posthouse/appliance/wire"
	"posthouse/webui"
	"posthouse/webui/pages"
)

// static finds what the server shows beside its methods: the web client, the
// reference that is generated from the table of methods, and the certificate
// of the local authority for those who want to trust it. language is zh, en or
// auto: what the reader's browser asks for.
func static(cert lancert.Source, language string, offline bool) func(path, acceptLanguage, acceptEncoding string) (gate.StaticFile, bool) {
	own := map[string]gate.StaticFile{
		"/api/openrpc.json":     document("application/json", reference.OpenRPC()),
		"/api/openapi.json":     document("application/json", reference.OpenAPI()),
		"/static/reference.css": document("text/css; charset=utf-8", reference.Stylesheet()),
	}
	spoken := map[string]map[string]gate.StaticFile{"/api/reference": spokenDocument("text/html; charset=utf-8", reference.Page)}
	if ca, ok := cert.(*lancert.Authority); ok {
		own["/ca.crt"] = document("application/x-x509-ca-cert", ca.RootDER())
		own["/ca.pem"] = document("application/x-pem-file", ca.RootPEM())
		spoken["/ca.mobileconfig"] = spokenDocument("application/x-apple-aspen-config", ca.MobileConfig)
	}
	return func(path, acceptLanguage, acceptEncoding string) (gate.StaticFile, bool) {
		if language != "auto" {
			acceptLanguage = language
		}
		if f, ok := own[path]; ok {
			return f, true
		}
		if f, ok := spoken[path]; ok {
			return f[pages.Language(acceptLanguage)], true
		}
		if path == "/sw.js" && !offline {
			path = webui.WorkerOff
		}
		f, ok := webui.Lookup(path, acceptLanguage, acceptEncoding)
		if !ok {
			return gate.StaticFile{}, false
		}
		return gate.StaticFile{Body: f.Body, Type: f.Type, Encoding: f.Encoding, Language: f.Language, ETag: f.ETag,
			CacheControl: f.CacheControl, Policy: webui.Policy}, true
	}
}

// spokenDocument is a document in both languages.
func spokenDocument(kind string, of func(lang string) []byte) map[string]gate.StaticFile {
	out := map[string]gate.StaticFile{}
	for _, lang := range []string{"en", "zh"} {
		f := document(kind, of(lang))
		f.Language = lang
		out[lang] = f
	}
	return out
}

func document(kind string, body []byte) gate.StaticFile {
	sum := sha256.Sum256(body)
	return gate.StaticFile{Body: body, Type: kind, ETag: `"` + hex.EncodeToString(sum[:16]) + `"`}
}

// fillStatus adds what only the wiring knows.
func (s *server) fillStatus(r *wire.StatusResult) {
	r.Addresses = append(r.Addresses, baseURL(s.cfg))
	if s.cert != nil {
		st := s.cert.Status()
		r.CertExpires = st.NotAfter.UnixMilli()
		if st.Source == "local-ca" {
			r.Certificate = st.Fingerprint
		}
	}
}
