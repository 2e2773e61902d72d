#!/bin/sh
# Install Debian packages, given as arguments, as root: without starting a service, now or at the
# next boot, and without creating a database cluster. A laptop gets programs, no daemons.
set -eu
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
guard=$clusters/stockroom-setup.conf
services='redis-server postgresql'
mark='written by the set-up of stockroom, for its duration'

has_unit() { [ -e "/lib/systemd/system/$1.service" ]; }

ours() { [ ! -e "$1" ] || grep -q "$mark" "$1"; }

restore() {
    rm -f "$guard"
    rmdir "$clusters" "${clusters%/*}" 2>/dev/null || true # only where nothing else is in them
    if ours "$policy"; then rm -f "$policy"; fi
}

known=
for service in $services; do
    if has_unit "$service"; then known="$known $service"; fi
done

trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p "$clusters"
printf '# %s\ncreate_main_cluster = false\n' "$mark" >"$guard"
if ours "$policy"; then
    printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
fi

install() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=60 "$@"; }
install "$@" || { apt-get update && install "$@"; }

for service in $services; do
    case " $known " in *" $service "*) continue ;; esac
    if has_unit "$service" && command -v systemctl >/dev/null; then systemctl disable "$service"; fi
done
