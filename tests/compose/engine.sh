#!/bin/sh
# The engine of Debian's docker.io in a folder of its own: engine.sh start|stop|status|env   (root)
#   eval "$(sh engine.sh env)"   makes docker and docker-compose of this shell talk to it.
# DOCK_DIR: folder for data, state, socket and log (default: /tmp/xuezhu-compose). Its path must stay short: a socket's name has 107 bytes.
# DOCK_NOFILE: default ulimit of containers. DOCK_STORAGE: overlay2 (ext4, xfs) or vfs. DOCK_WAIT: seconds to wait for start and stop.
# DOCK_NICE: for the engine and all that runs in it, builds too (they are its children, not those of 'docker build'). DOCK_FLAGS: more for dockerd.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${DOCK_DIR:-/tmp/xuezhu-compose}
nofile=${DOCK_NOFILE:-4096:4096}
wait=${DOCK_WAIT:-60}
sock=$dir/docker.sock
pidfile=$dir/dockerd.pid
docker=${DOCK_CLI:-/usr/bin/docker}          # Debian's own: another docker earlier in PATH may be a lone client of another version

# A zombie is none: process 1 may leave one lie.
is() { [ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" != Z ] && [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ]; }
alive() { [ -s "$pidfile" ] && is "$(cat "$pidfile")" dockerd; }
# An engine that did not stop by stop leaves shims, containers, rules, mounts. A new one in the same folder ends the first two as it starts.
left() { [ -e "$dir/ip_forward.before" ]; }
answers() { DOCKER_HOST=unix://$sock "$docker" info >/dev/null 2>&1; }

# Proxies of the environment, where there are any, for builds and containers.
client_config() {
  mkdir -p "$dir/client"
  {
    printf '{ "proxies": { "default": {'
    sep=' '
    for v in http_proxy:httpProxy https_proxy:httpsProxy no_proxy:noProxy; do
      eval "value=\${${v%%:*}:-}"; [ -n "$value" ] || eval "value=\${$(echo "${v%%:*}" | tr a-z A-Z):-}"
      [ -z "$value" ] || { printf '%s"%s": "%s"' "$sep" "${v##*:}" "$value"; sep=', '; }
    done
    printf ' } } }\n'
  } > "$dir/client/config.json"
}

start() {
  alive && { echo "runs already, pid $(cat "$pidfile")"; return; }
  mkdir -p "$dir"; client_config
  rm -f "$pidfile"
  # dockerd takes a zombie of its last containerd for a living one.
  c=$dir/run/containerd/containerd.pid; [ ! -s "$c" ] || is "$(cat "$c")" containerd || rm -f "$c"
  # What stop puts back. iptables-save prints nothing where no table was ever touched. Not over what an engine that was killed left.
  left || { iptables-save > "$dir/iptables.before"; sysctl -n net.ipv4.ip_forward > "$dir/ip_forward.before"; }
  dev=$(ip route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -1)
  mtu=$(cat "/sys/class/net/${dev:-none}/mtu" 2>/dev/null || echo 1500)
  # A session of its own: the shell that started it may end. containerd is started, and ended, by dockerd.
  setsid nohup nice -n "${DOCK_NICE:-0}" dockerd --host "unix://$sock" --pidfile "$pidfile" --data-root "$dir/data" --exec-root "$dir/run" \
    --storage-driver "${DOCK_STORAGE:-overlay2}" --default-ulimit "nofile=$nofile" --mtu "$mtu" \
    --log-opt max-size=50m ${DOCK_FLAGS:-} > "$dir/dockerd.log" 2>&1 < /dev/null &
  n=0
  until answers; do
    n=$((n + 1))
    [ $n -le $((wait * 4)) ] || { echo "no answer in $wait s:"; tail -20 "$dir/dockerd.log"; exit 1; }
    # dockerd that gave up says why in its log; the pid file comes a little later than the process.
    [ $n -lt 8 ] || alive || { echo "dockerd ended:"; tail -20 "$dir/dockerd.log"; exit 1; }
    sleep 0.25
  done
  echo "up, pid $(cat "$pidfile")"
}

stop() {
  alive || { left || { echo "does not run"; return; }; echo "was killed: started once more, to end what it left"; start; }
  pid=$(cat "$pidfile")
  # By name of their ids, so that 'restart: unless-stopped' does not start them with the next engine. -t: SIGTERM, then 10 s.
  ids=$(DOCKER_HOST=unix://$sock "$docker" ps -q)
  [ -z "$ids" ] || DOCKER_HOST=unix://$sock "$docker" stop -t 10 $ids >/dev/null
  kill -TERM "$pid"
  n=0
  while is "$pid" dockerd; do n=$((n + 1)); [ $n -le $((wait * 4)) ] || { echo "pid $pid does not end"; exit 1; }; sleep 0.25; done
  # dockerd leaves its bridges and its rules behind.
  for br in docker0 $(ip -o link show type bridge | sed -n 's/^[0-9]*: \(br-[0-9a-f]\{12\}\)[:@].*/\1/p'); do ip link del "$br" 2>/dev/null || true; done
  if [ -s "$dir/iptables.before" ]; then iptables-restore < "$dir/iptables.before"
  else for t in nat filter; do iptables -t $t -F; iptables -t $t -X; done; iptables -P FORWARD ACCEPT; fi
  sysctl -qw "net.ipv4.ip_forward=$(cat "$dir/ip_forward.before")"; rm -f "$dir/iptables.before" "$dir/ip_forward.before"
  # Empty groups; a group with anything in it refuses.
  for g in /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker; do [ -d "$g" ] && find "$g" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
  for m in $(awk -v d="$dir/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r); do umount "$m" || true; done
  echo "stopped"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  status) if alive && answers; then echo "up, pid $(cat "$pidfile")"; else echo "down"; exit 1; fi ;;
  env)
    # The classic builder, which every client can talk to; BuildKit (1) needs Debian's client or buildx.
    echo "export DOCKER_HOST=unix://$sock DOCKER_CONFIG=$dir/client DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0"
    mkdir -p "$dir/bin"; ln -sf "$docker" "$dir/bin/docker"; echo "export PATH=$dir/bin:\$PATH" ;;
  *) echo "engine.sh start|stop|status|env" >&2; exit 2 ;;
esac
