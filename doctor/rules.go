package doctor

import (
	"slices"
	"strconv"
	"strings"
)

// namesPort reports whether a list of ports as firewalls write it (8443, 80,443,
// 8000:9000, 8000-9000, each with /tcp or not) holds a port.
func namesPort(list string, port int) bool {
	for part := range strings.SplitSeq(list, ",") {
		part, proto, _ := strings.Cut(strings.TrimSpace(part), "/")
		if proto != "" && proto != "tcp" {
			continue
		}
		from, to, ok := strings.Cut(strings.ReplaceAll(part, ":", "-"), "-")
		if !ok {
			to = from
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 == nil && err2 == nil && a <= port && port <= b {
			return true
		}
	}
	return false
}

// ufwOpens reads "ufw status".
func ufwOpens(text string, port int) bool {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		at := slices.Index(f, "ALLOW")
		if at < 1 {
			continue
		}
		list, proto, ok := strings.Cut(f[0], "/")
		if namesPort(list, port) && (!ok || proto == "tcp") || f[0] == "Anywhere" && f[len(f)-1] == "Anywhere" {
			return true
		}
	}
	return false
}

// firewalldOpens reads "firewall-cmd --list-all".
func firewalldOpens(text string, port int) bool {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		list := strings.Fields(value)
		switch key {
		case "target":
			if value == "ACCEPT" {
				return true
			}
		case "ports":
			if slices.ContainsFunc(list, func(p string) bool { return namesPort(p, port) }) {
				return true
			}
		case "services":
			if port == 443 && slices.Contains(list, "https") {
				return true
			}
		}
	}
	return false
}

// nftDrops reads "nft list ruleset": the first chain at the input hook that
// drops what no rule accepts, as "family table chain", unless some rule
// accepts the port. Rules behind jumps are taken into account as if they stood
// in the chain itself.
func nftDrops(text string, port int) (chain string, drops bool) {
	table, name, input := "", "", false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		f := strings.Fields(line)
		switch {
		case len(f) >= 3 && f[0] == "table":
			table = f[1] + " " + f[2]
		case len(f) >= 2 && f[0] == "chain":
			name, input = f[1], false
		case strings.Contains(line, "hook input"):
			input = true
			if strings.Contains(line, "policy drop") {
				chain, drops = table+" "+name, true
			}
		case strings.Contains(line, "dport") && strings.Contains(line, "accept") && nftNames(line, port):
			return "", false
		case input && !drops && len(f) > 0 && (f[0] == "drop" || f[0] == "reject" || f[0] == "counter" && slices.ContainsFunc(f, func(w string) bool { return w == "drop" || w == "reject" })):
			chain, drops = table+" "+name, true
		}
	}
	return chain, drops
}

// nftNames reports whether a rule's dport holds a port.
func nftNames(rule string, port int) bool {
	_, rest, _ := strings.Cut(rule, "dport ")
	if inside, ok := strings.CutPrefix(rest, "{"); ok {
		inside, _, _ = strings.Cut(inside, "}")
		return namesPort(inside, port) || port == 443 && strings.Contains(inside, "https")
	}
	first, _, _ := strings.Cut(rest, " ")
	return namesPort(first, port) || port == 443 && first == "https"
}

// iptablesDrops reads "iptables -S INPUT".
func iptablesDrops(text string, port int) bool {
	drops := false
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		has := func(words ...string) bool {
			return strings.Contains(strings.Join(f, " "), strings.Join(words, " "))
		}
		if has("-j ACCEPT") {
			for i := range f[:len(f)-1] {
				if (f[i] == "--dport" || f[i] == "--dports") && namesPort(f[i+1], port) {
					return false
				}
			}
		}
		if has("-P INPUT DROP") || has("-A INPUT -j DROP") || has("-A INPUT -j REJECT") {
			drops = true
		}
	}
	return drops
}
