package lancert

import (
	"errors"
	"fmt"
	"io/fs"
)

// Look says what Open would find in dir. It makes, renews and changes nothing,
// so that it can be called beside a running server. The error is an *Error
// where Open would give one, and fs.ErrNotExist before the first start. A leaf
// that Open would make anew, because it is missing or damaged, leaves NotAfter
// zero.
func Look(dir string, opts Options) (Status, error) {
	a := &Authority{opts: opts.withDefaults()}
	a.store = store{a.opts.FS, dir}
	haveRoot, err1 := a.store.exists(rootCert)
	haveInter, err2 := a.store.exists(interFile)
	switch err := errors.Join(err1, err2); {
	case err != nil:
		return Status{}, a.broken(err)
	case !haveRoot && !haveInter:
		return Status{}, fmt.Errorf("look at the authority in %s: %w", dir, fs.ErrNotExist)
	case !haveRoot || !haveInter:
		return Status{}, a.broken(errors.New(rootCert + " or " + interFile + " is missing"))
	}
	if err := a.load(); err != nil { // both are there: it only reads
		return Status{}, err
	}
	for _, n := range a.opts.asked() {
		if !mayName(a.inter.cert, n) {
			return Status{}, a.outside(n)
		}
	}
	if now := a.opts.Now(); now.After(a.inter.cert.NotAfter) {
		return Status{}, fail(say("the certificate authority ended on %s (or the clock of this machine is wrong): a new one is needed, and every device must trust it anew",
			"证书颁发机构已于 %s 到期（或本机时钟有误）：需要新建，每台设备都要重新信任", a.inter.cert.NotAfter.Format("2006-01-02")), nil)
	}
	_, a.leftOut = addresses(a.inter.cert, a.opts.Addresses())
	id, certs, err := a.store.readIdentity(leafFile)
	if err != nil || !a.usable(certs) {
		return Status{Source: "local-ca", LeftOut: a.leftOut, Fingerprint: a.Fingerprint(), RootExpires: a.root.NotAfter}, nil
	}
	a.serve(id)
	return a.Status(), nil
}
