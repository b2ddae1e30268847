#!/bin/sh
# Installs Debian's engine, compose v1 and debootstrap where they are missing. Root. Starts nothing.
set -eu
missing=
need() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed' || missing="$missing $1"; }
for p in docker.io containerd runc iptables docker-compose debootstrap tini; do need $p; done
[ -z "$missing" ] && { echo "nothing to install"; exit 0; }
apt-get update -qq
# RUNLEVEL=1: where there is no policy-rc.d that says no, the package's init script must not start an engine of its own.
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
