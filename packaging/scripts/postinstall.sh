#!/bin/sh
# After an installation or upgrade: make the account, start the new version.
# Works in a chroot without a running systemd.
set -e
systemd-sysusers posthouse.conf || true
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	if systemctl is-enabled --quiet posthouse.service; then
		systemctl restart posthouse.service || true
	else
		echo "posthouse: choose server.host_name in /etc/posthouse/posthouse.toml, then: systemctl enable --now posthouse; posthouse setup"
	fi
fi
