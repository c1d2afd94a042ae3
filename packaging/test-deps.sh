#!/bin/sh
# Installs what the tests need beside Go, git and make. Does nothing when all
# of it is there. Debian and its relatives; elsewhere it says what to install.
set -eu
need=""
have() { command -v "$1" >/dev/null 2>&1; }
have chromium || have chromium-browser || have google-chrome || need="$need chromium"
have python3 && /usr/bin/python3 -c 'import websockets' 2>/dev/null || need="$need python3 python3-websockets"
have curl || need="$need curl"
have openssl || need="$need openssl"
have strace || need="$need strace"
have fusermount3 || need="$need fuse3"
have node || need="$need nodejs"
have npm || need="$need npm"
have promtool || need="$need prometheus"
have prometheus-alertmanager || need="$need prometheus-alertmanager"
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || need="$need python3-aiosmtpd"
[ -x /usr/sbin/slapd ] || need="$need slapd ldap-utils"
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || need="$need fontconfig fonts-noto-cjk"
[ -n "$need" ] || exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
if ! have apt-get; then
	echo "the tests need:$need; install them and run again" >&2
	exit 1
fi
$sudo apt-get update -qq
policy=/usr/sbin/policy-rc.d # the services in these packages are not to start by themselves
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
	trap '$sudo rm -f $policy' EXIT
fi
# shellcheck disable=SC2086 # words on purpose
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $need >/dev/null
