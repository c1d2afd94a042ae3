package state

import (
	"slices"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
)

func empty(tx *bolt.Tx, bucket string) bool {
	b := tx.Bucket([]byte(bucket))
	if b == nil {
		return true
	}
	k, _ := b.Cursor().First()
	return k == nil
}

// notices: an audience in order, as many confirmations as are counted, and one
// message at most in each room addressed.
func (c *checker) notices() {
	s := c.s
	if len(s.noticeOrder) != len(s.notices) {
		c.bad("%d notices in order, %d there are", len(s.noticeOrder), len(s.notices))
	}
	for nid, n := range s.notices {
		confirmed := 0
		for i, uid := range n.rec.Audience {
			if n.at[i] != 0 {
				confirmed++
			}
			if s.users[uid] == nil || i > 0 && n.rec.Audience[i-1] >= uid {
				c.bad("notice %s asks %s, who does not exist or stands out of order", nid, uid)
			}
		}
		if confirmed != n.confirmed {
			c.bad("notice %s: %d confirmations counted, %d there are", nid, n.confirmed, confirmed)
		}
		if s.users[n.rec.Author] == nil {
			c.bad("notice %s is of nobody", nid)
		}
		seen := map[id.ID]bool{}
		for _, p := range n.mark.Posts {
			if seen[p.Room] || !slices.Contains(n.rec.Rooms, p.Room) {
				c.bad("notice %s is shown twice in room %s, or was not addressed to it", nid, p.Room)
			}
			seen[p.Room] = true
			c.posts[id.Message{Room: p.Room, Seq: p.Seq}] = nid
		}
	}
}

func (c *checker) scheduled() {
	s := c.s
	n := 0
	for sid, sc := range s.scheduled {
		if _, ok := s.userScheduled[sc.Scheduled.User][sid]; !ok || s.users[sc.Scheduled.User] == nil {
			c.bad("scheduled message %s of %s is not indexed", sid, sc.Scheduled.User)
		}
		for _, fid := range sc.Scheduled.Files {
			c.held[fid]++
			if s.files[fid] == nil {
				c.bad("scheduled message %s carries file %s, which does not exist", sid, fid)
			}
		}
	}
	for _, of := range s.userScheduled {
		n += len(of)
	}
	if n != len(s.scheduled) {
		c.bad("%d scheduled messages indexed, %d there are", n, len(s.scheduled))
	}
}
