#!/bin/sh
# Before a removal, not before an upgrade (rpm says 1, dpkg says upgrade).
set -e
if [ "$1" = remove ] || [ "$1" = 0 ]; then
	if [ -d /run/systemd/system ]; then
		systemctl disable --now posthouse.service || true
	fi
fi
