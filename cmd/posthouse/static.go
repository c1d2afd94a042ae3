package main

import (
	"posthouse/appliance/gate"
	"posthouse/appliance/wire"
)

func static() func(path, acceptLanguage, acceptEncoding string) (gate.StaticFile, bool) {
	return func(path, acceptLanguage, acceptEncoding string) (gate.StaticFile, bool) {
		return gate.StaticFile{}, false
	}
}

// fillStatus adds what only the server knows.
func (s *server) fillStatus(r *wire.StatusResult) {
	r.Addresses = append(r.Addresses, baseURL(s.cfg))
	if s.cert != nil {
		st := s.cert.Status()
		r.Certificate, r.CertExpires = st.Fingerprint, st.NotAfter.UnixMilli()
	}
}
