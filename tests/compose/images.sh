#!/bin/sh
# Base images without a registry: images.sh [debian] [rust] [postgres]   (default: all; root; the engine answers at DOCKER_HOST)
# All from Debian's packages and the Rust toolchain of this machine. Mirrors, proxies and certificates are the machine's own.
# RUST_IMAGE, RUST_TOOLCHAIN (default: rustc --print sysroot), POSTGRES_MAJOR, SUITE, WORK (needs about 2 GB), FORCE=1: build again
# POSTGRES_CONTEXT: folder with the entrypoint (default: postgres beside this script). KEEP_DEBS: folder that keeps debootstrap's packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
suite=${SUITE:-bookworm}
debian=${DEBIAN_IMAGE:-debian:$suite-slim}
rust=${RUST_IMAGE:-rust:1.95-$suite}
major=${POSTGRES_MAJOR:-15}
postgres=${POSTGRES_IMAGE:-postgres:$major}
docker=${DOCK_CLI:-/usr/bin/docker}
export DOCKER_BUILDKIT=0
work=$(mktemp -d "${WORK:-${TMPDIR:-/tmp}}/images.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT INT TERM

have() { [ -z "${FORCE:-}" ] && "$docker" image inspect "$1" >/dev/null 2>&1 && echo "$1: here already"; }
say() { echo "$1: $(($(date +%s) - $2)) s, $("$docker" image inspect -f '{{.Size}}' "$1" | awk '{ printf "%d MB", $1 / 1e6 }')"; }

debian() {
  have "$debian" && return; t=$(date +%s)
  command -v debootstrap >/dev/null || { echo "debootstrap is missing" >&2; exit 1; }
  # The mirror that apt uses here, whichever of sources.list and sources.list.d it stands in.
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)' | awk -v s="$suite" '$1 == "Debian" && $2 == s && $3 == "main" { print $4; exit }')
  [ -n "$mirror" ] || { echo "apt has no $suite here (apt-get update first?)" >&2; exit 1; }
  # apt's own proxies, for debootstrap's wget.
  eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
  [ -z "${http_proxy:-}" ] || export http_proxy; [ -z "${https_proxy:-}" ] || export https_proxy
  root=$work/root
  [ -z "${KEEP_DEBS:-}" ] || mkdir -p "$KEEP_DEBS"
  debootstrap --variant=minbase --include=ca-certificates ${KEEP_DEBS:+--cache-dir="$KEEP_DEBS"} "$suite" "$root" "$mirror" > "$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
  # Sources of Debian's own and apt's way to them; nothing else that this machine may have added.
  rm -f "$root/etc/apt/sources.list"
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' | awk '$1 == "Debian" && !seen[$0]++ { print "deb", $2, $3, $4 }' > "$root/etc/apt/sources.list"
  apt-config dump | grep -E '^Acquire::((http|https)::|Check-|Retries|ForceIPv4)' > "$root/etc/apt/apt.conf.d/90machine" || true
  # Certificates that were added to this machine.
  for c in /usr/local/share/ca-certificates/*.crt; do [ -e "$c" ] && cp "$c" "$root/usr/local/share/ca-certificates/"; done
  chroot "$root" update-ca-certificates > "$work/log" 2>&1 || { tail "$work/log"; exit 1; }
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
  printf 'path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\npath-exclude /usr/share/locale/*\n' > "$root/etc/dpkg/dpkg.cfg.d/slim"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
  : > "$root/etc/resolv.conf"; rm -f "$root/etc/hostname"
  tar -C "$root" --numeric-owner --one-file-system -c . | "$docker" import -c 'CMD ["bash"]' - "$debian" > /dev/null
  rm -rf "$root"
  say "$debian" "$t"
}

rust() {
  have "$rust" && return; t=$(date +%s)
  toolchain=${RUST_TOOLCHAIN:-$(cd / && rustc --print sysroot)}
  [ -x "$toolchain/bin/cargo" ] || { echo "no cargo in $toolchain/bin" >&2; exit 1; }
  c=$work/rust; mkdir -p "$c/cargo"
  # Hard links where the disk is one, so that the context costs no space; without 800 MB of documentation.
  cp -al "$toolchain" "$c/toolchain" 2>/dev/null || { rm -rf "$c/toolchain"; cp -a "$toolchain" "$c/toolchain"; }
  printf 'toolchain/share/doc\ntoolchain/share/man\n' > "$c/.dockerignore"
  # cargo's own settings of this machine (mirror, proxy), without credentials.
  for f in config.toml config; do [ -e "${CARGO_HOME:-$HOME/.cargo}/$f" ] && cp "${CARGO_HOME:-$HOME/.cargo}/$f" "$c/cargo/config.toml" && break; done
  {
    echo "FROM $debian"
    echo "RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ make libc6-dev pkg-config git curl ${RUST_PACKAGES:-} && rm -rf /var/lib/apt/lists/*"
    echo "ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    # cargo's settings that came as environment: they must reach the RUN steps of every image that builds on this one.
    env | grep -E '^CARGO_(HTTP|NET|REGISTRIES|REGISTRY|SOURCE)_' | grep -v -i -E 'token|credential' | sed -E 's/^([^=]*)=(.*)$/ENV \1="\2"/' || true
    echo "COPY toolchain/ /usr/local/"
    echo "COPY cargo/ /usr/local/cargo/"
    echo "RUN cargo --version && rustc --version"
    echo 'CMD ["bash"]'
  } > "$c/Dockerfile"
  "$docker" build -q -t "$rust" "$c" > "$work/log" 2>&1 || { "$docker" build -t "$rust" "$c"; exit 1; }
  rm -rf "$c"
  say "$rust" "$t"
}

postgres() {
  have "$postgres" && return; t=$(date +%s)
  c=$work/postgres; mkdir "$c"; cp "${POSTGRES_CONTEXT:-$here/postgres}/entrypoint.sh" "$c/"
  cat > "$c/Dockerfile" <<D
FROM $debian
# The uid of the official image. Debian's package would make a cluster of its own, were create_main_cluster not off.
RUN groupadd -r --gid 999 postgres && useradd -r -g postgres --uid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres \\
 && apt-get update && apt-get install -y --no-install-recommends postgresql-common locales \\
 && sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \\
 && sed -i 's/^# *en_US.UTF-8 UTF-8/en_US.UTF-8 UTF-8/' /etc/locale.gen && locale-gen > /dev/null \\
 && apt-get install -y --no-install-recommends postgresql-$major && rm -rf /var/lib/apt/lists/* \\
 && mkdir -p /var/lib/postgresql/data /docker-entrypoint-initdb.d && rm -rf /var/run/postgresql && mkdir -p /var/run/postgresql \\
 && chown postgres:postgres /var/lib/postgresql /var/lib/postgresql/data /var/run/postgresql && chmod 700 /var/lib/postgresql/data && chmod 3777 /var/run/postgresql
ENV LANG=en_US.utf8 PG_MAJOR=$major PGDATA=/var/lib/postgresql/data PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/$major/bin
COPY entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN chmod 755 /usr/local/bin/docker-entrypoint.sh
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["docker-entrypoint.sh"]
# As in the official image: a 'fast' shutdown, which does not wait for clients.
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
D
  "$docker" build -q -t "$postgres" "$c" > "$work/log" 2>&1 || { "$docker" build -t "$postgres" "$c"; exit 1; }
  say "$postgres" "$t"
}

[ $# -gt 0 ] || set -- debian rust postgres
for i in "$@"; do case $i in debian | rust | postgres) $i ;; *) echo "images.sh [debian] [rust] [postgres]" >&2; exit 2 ;; esac; done
