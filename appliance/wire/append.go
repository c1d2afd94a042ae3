package wire

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// appendJSON appends a value as json.Marshal writes it. What travels with
// every message is written without reflection; the tests compare the two for
// every field there is.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case *Message:
		if v != nil && v.plain() {
			if plain, err := v.appendPlain(b); err == nil {
				return plain, nil
			}
		}
	case Sent:
		return v.appendJSON(b), nil
	case Empty:
		return append(b, "{}"...), nil
	}
	j, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(b, j...), nil
}

// plain reports whether a message has only the members that appendPlain knows.
func (m *Message) plain() bool {
	return m.Mentions == nil && !m.MentionAll && m.Files == nil && m.Foreign == nil && m.Forwarded == nil && m.Change == nil &&
		m.Edits == 0 && m.EditedAt == 0 && m.Recalled == nil && m.Reactions == nil && m.PinnedAt == 0 && m.PinnedBy == 0 &&
		m.Replies == 0 && m.LastReply == 0 && m.Preview == nil && m.Notice == 0 && !m.Imported && m.As == ""
}

func (m *Message) appendPlain(b []byte) ([]byte, error) {
	var err error
	b = append(b, `{"id":"`...)
	b, _ = m.ID.AppendText(b) // never fails, as the next ones
	b = append(b, `","room":"`...)
	b, _ = m.Room.AppendText(b)
	b = appendUint(b, `","seq":`, m.Seq)
	b = appendUint(b, `,"count":`, m.Count)
	b = appendUint(b, `,"position":`, m.Position)
	b = strconv.AppendInt(append(b, `,"time":`...), m.Time, 10)
	b = append(b, `,"sender":"`...)
	b, _ = m.Sender.AppendText(b)
	b = append(b, '"')
	if m.Key != "" {
		if b, err = jsontext.AppendQuote(append(b, `,"key":`...), m.Key); err != nil {
			return nil, err
		}
	}
	if m.Text != "" {
		if b, err = jsontext.AppendQuote(append(b, `,"text":`...), m.Text); err != nil {
			return nil, err
		}
	}
	if m.ReplyTo != 0 {
		b = appendUint(b, `,"reply_to":`, m.ReplyTo)
	}
	if m.Thread != 0 {
		b = appendUint(b, `,"thread":`, m.Thread)
	}
	return append(b, '}'), nil
}

func (s *Sent) appendJSON(b []byte) []byte {
	b = append(b, `{"id":"`...)
	b, _ = s.ID.AppendText(b)
	b = appendUint(b, `","seq":`, s.Seq)
	b = appendUint(b, `,"position":`, s.Position)
	b = strconv.AppendInt(append(b, `,"time":`...), s.Time, 10)
	if s.Again {
		b = append(b, `,"again":true`...)
	}
	return append(b, '}')
}

func appendUint(b []byte, name string, v uint64) []byte {
	return strconv.AppendUint(append(b, name...), v, 10)
}
