package store

import (
	"cmp"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// seriesCap bounds the series of the head. The database asks it before it
// makes one.
type seriesCap struct {
	most, share int

	mu      sync.Mutex
	total   int
	byJob   map[string]int
	opening bool // while the log is read back, everything in it is let in
	refused uint64
}

func newSeriesCap(most int, share float64) *seriesCap {
	return &seriesCap{most: most, share: max(1, int(float64(most)*share)), byJob: map[string]int{}}
}

func (c *seriesCap) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total, c.byJob, c.opening = 0, map[string]int{}, true
}

func (c *seriesCap) replayed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opening = false
}

// PreCreation refuses a series beyond the cap.
func (c *seriesCap) PreCreation(l labels.Labels) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opening || c.total < c.most && c.byJob[l.Get("job")] < c.share {
		return nil
	}
	c.refused++
	return ErrSeriesCap
}

// PostCreation counts a series that was made.
func (c *seriesCap) PostCreation(l labels.Labels) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total++
	c.byJob[l.Get("job")]++
}

// PostDeletion gives back the places of series that left the head.
func (c *seriesCap) PostDeletion(gone map[chunks.HeadSeriesRef]labels.Labels) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range gone {
		c.total--
		job := l.Get("job")
		if c.byJob[job]--; c.byJob[job] <= 0 {
			delete(c.byJob, job)
		}
	}
}

// JobSeries is how many series of the head a job has.
type JobSeries struct {
	Job    string
	Series int
}

func (c *seriesCap) jobs() (total int, refused uint64, jobs []JobSeries) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for job, n := range c.byJob {
		jobs = append(jobs, JobSeries{job, n})
	}
	slices.SortFunc(jobs, func(a, b JobSeries) int {
		return cmp.Or(b.Series-a.Series, cmp.Compare(a.Job, b.Job))
	})
	return c.total, c.refused, jobs
}
