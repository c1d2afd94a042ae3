package blob

// Hold keeps content from being cleared away until release is called: whoever
// finishes an upload holds it until something refers to the content. Many may
// hold at once.
func (s *Store) Hold() (release func()) {
	s.clearing.RLock()
	return s.clearing.RUnlock
}

// Clear moves content into the bin if unused still says so while nobody holds
// anything. unused must be quick.
func (s *Store) Clear(d Digest, unused func() bool) (binned bool, err error) {
	s.clearing.Lock()
	defer s.clearing.Unlock()
	if !unused() {
		return false, nil
	}
	return true, s.Bin(d)
}
