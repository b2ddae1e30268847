#!/bin/sh
# The files of deploy/secrets/README.md, made up: secrets.sh PROJECT [IMAGE]. root; IMAGE (default xuezhu) makes the keys.
set -eu
s=$1/deploy/secrets; image=${2:-xuezhu}; docker=${DOCK_CLI:-/usr/bin/docker}
umask 077
word() { od -An -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }
for d in enrollment aid; do
  p=$(word 16); printf '%s\n' "$p" > "$s/${d}_db_password"; printf 'postgres://xuezhu:%s@%s-db/%s\n' "$p" $d $d > "$s/${d}_owner_database_url"
  printf 'postgres://xuezhu_runs:%s@%s-db/%s\n' "$(word 16)" $d $d > "$s/${d}_database_url"
done
for a in admin_password second_admin_password; do printf '%s\n' "Aa1-$(word 12)" > "$s/$a"; done
# In the image, since the host may have no xuezhu; into a volume of its own, since its user may write no folder of root.
rm -f "$s/enrollment-keys.json" "$s/aid-keys.json"; v=keys-$$
"$docker" volume create $v > /dev/null
"$docker" run --rm -v $v:/k --user 0 "$image" admin keyring new /k >&2
c=$("$docker" create -v $v:/k "$image")
for f in enrollment-keys aid-keys; do "$docker" cp "$c:/k/$f.json" "$s/$f.json"; done
"$docker" rm "$c" > /dev/null; "$docker" volume rm $v > /dev/null
chmod 400 "$s/enrollment_db_password" "$s/aid_db_password"
chown 10001 "$s"/*.json "$s"/*_url "$s"/*admin_password; chmod 400 "$s"/*.json "$s"/*_url "$s"/*admin_password
