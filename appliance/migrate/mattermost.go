package migrate

import "context"

// ReadMattermost reads a Mattermost bulk export.
func ReadMattermost(ctx context.Context, file, tmp string, progress func(done, total int64)) (*Plan, error) {
	return nil, ErrFormat
}
