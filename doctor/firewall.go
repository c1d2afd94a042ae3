package doctor

import (
	"context"
	"strconv"
	"strings"
)

// lookAtFirewall names the firewall of this machine and whether its rules let
// people in. Connections of the box to itself go past most of them.
func (d *diagnosis) lookAtFirewall(ctx context.Context) {
	for _, l := range d.outward() {
		looked := d.say.ofN("firewall, port %d", "防火墙，端口 %d", l.port)
		f := d.firewall(ctx, int(l.port))
		switch {
		case f.name == "":
			d.well("firewall", looked, d.say.of("none found on this machine", "本机未发现防火墙"))
		case f.unread:
			d.odd("firewall", looked, d.say.ofN("%s is there; its rules are for root to read", "存在 %s，其规则只有 root 可读", f.name), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
		case f.open:
			d.well("firewall", looked, d.say.ofN("%s lets it through", "%s 已放行", f.name))
		default:
			d.bad("firewall", looked, d.say.ofN("%s does not let it through", "%s 未放行", f.name), f.opens)
		}
	}
}

// firewall is what was found of one.
type firewall struct {
	name   string
	unread bool   // its rules may not be read
	open   bool   // the port is let through
	opens  string // the command that does
}

// firewall asks the firewalls that know who made the rules before it reads the
// rules themselves.
func (d *diagnosis) firewall(ctx context.Context, port int) firewall {
	n := strconv.Itoa(port)
	unread := firewall{}
	if tool := d.tool("ufw"); tool != "" {
		out, err := ask(ctx, tool, "status")
		if err == nil && strings.Contains(out, "Status: active") {
			return firewall{name: "ufw", open: ufwOpens(out, port), opens: "ufw allow " + n + "/tcp"}
		}
		if err != nil {
			unread = firewall{name: "ufw", unread: true}
		}
	}
	if tool := d.tool("firewall-cmd"); tool != "" {
		if out, err := ask(ctx, tool, "--list-all"); err == nil {
			return firewall{name: "firewalld", open: firewalldOpens(out, port), opens: "firewall-cmd --permanent --add-port=" + n + "/tcp && firewall-cmd --reload"}
		}
	}
	if tool := d.tool("nft"); tool != "" {
		out, err := ask(ctx, tool, "list", "ruleset")
		if err == nil && strings.Contains(out, "hook input") {
			chain, drops := nftDrops(out, port)
			return firewall{name: "nftables", open: !drops, opens: "nft insert rule " + chain + " tcp dport " + n + " accept"}
		}
		if err != nil {
			unread = firewall{name: "nftables", unread: true}
		}
	} else if tool := d.tool("iptables"); tool != "" {
		out, err := ask(ctx, tool, "-S", "INPUT")
		if err == nil {
			return firewall{name: "iptables", open: !iptablesDrops(out, port), opens: "iptables -I INPUT -p tcp --dport " + n + " -j ACCEPT"}
		}
		unread = firewall{name: "iptables", unread: true}
	}
	return unread
}
