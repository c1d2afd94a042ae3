package migrate

import (
	"fmt"
	"strings"
)

// Account is an account that is there already.
type Account struct {
	ID    string
	Login string
	Email string
	Bot   bool
}

// Match says which account a person becomes.
type Match struct {
	Account string // ID of the one that is there; empty: one is to be made
	Login   string // of that account
}

// Matching finds the account of each person, by person ID: first by e-mail,
// then by login. An account with another e-mail or of another nature (person,
// program) is somebody else; the person then gets a login with a number. One
// account is the account of at most one person. The same archive against the
// accounts that it has made finds those. An e-mail that several accounts have
// finds none of them: people write their own, so whoever imports should look
// at what was found.
func Matching(people []Person, accounts []Account) map[string]Match {
	out := make(map[string]Match, len(people))
	byEmail, byLogin := map[string]*Account{}, map[string]*Account{}
	for i := range accounts {
		a := &accounts[i]
		byLogin[a.Login] = a
		if e := strings.ToLower(a.Email); e != "" && !a.Bot {
			if _, twice := byEmail[e]; twice {
				a = nil // whose it is cannot be told
			}
			byEmail[e] = a
		}
	}
	taken := map[string]bool{} // logins that have their person
	for _, p := range people {
		if p.Email == "" || p.Bot {
			continue
		}
		if a := byEmail[p.Email]; a != nil && !taken[a.Login] {
			taken[a.Login] = true
			out[p.ID] = Match{a.ID, a.Login}
		}
	}
	for _, p := range people {
		if _, done := out[p.ID]; done {
			continue
		}
		for n := 1; ; n++ {
			login := p.Login
			if n > 1 {
				login = fmt.Sprint(p.Login, n)
			}
			a := byLogin[login]
			if taken[login] || a != nil && (a.Bot != p.Bot || a.Email != "" && p.Email != "" && !strings.EqualFold(a.Email, p.Email)) {
				continue
			}
			taken[login] = true
			m := Match{Login: login}
			if a != nil {
				m.Account = a.ID
			}
			out[p.ID] = m
			break
		}
	}
	return out
}
