package doctor

import "testing"

func TestFirewallRules(t *testing.T) {
	ufw := "Status: active\n\nTo                         Action      From\n--                         ------      ----\n22/tcp                     ALLOW       Anywhere\n8000:8999/tcp              ALLOW       Anywhere\n9443/udp                   ALLOW       Anywhere\n9000/tcp                   DENY        Anywhere\n"
	firewalld := "public (active)\n  target: default\n  interfaces: eth0\n  services: dhcpv6-client https ssh\n  ports: 8443/tcp 9000-9100/tcp 5353/udp\n"
	nft := "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tiif \"lo\" accept\n\t\ttcp dport { 22, 8443 } accept\n\t}\n\tchain output {\n\t\ttype filter hook output priority filter; policy accept;\n\t}\n}\n"
	iptables := "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m multiport --dports 80,8443 -j ACCEPT\n"
	for port, open := range map[int][4]bool{8443: {true, true, true, true}, 443: {false, true, false, false}, 9443: {}, 9000: {false, true, false, false}} {
		chain, drops := nftDrops(nft, port)
		if got := [4]bool{ufwOpens(ufw, port), firewalldOpens(firewalld, port), !drops, !iptablesDrops(iptables, port)}; got != open {
			t.Errorf("port %d is open: %v, want %v", port, got, open)
		}
		if drops && chain != "inet filter input" {
			t.Errorf("the chain is %q", chain)
		}
	}
	if _, drops := nftDrops("table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy accept;\n\t\tct state established,related accept\n\t}\n}\n", 8443); drops {
		t.Error("rules that drop nothing seem to drop")
	}
	if iptablesDrops("-P INPUT ACCEPT\n-A INPUT -s 10.9.0.0/16 -j DROP\n", 8443) {
		t.Error("a rule about others seems to drop everything")
	}
}
