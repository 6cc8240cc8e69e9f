# packages.sh: installs what tools/dependencies lists and this machine lacks. Sourced by ./quickstart and ./check.

# As root directly, else through sudo.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# packages_missing GROUP...: one package a line. dpkg-query exits 1 when it has never heard of one.
packages_missing() {
	local wanted installed
	wanted=$(for group in "$@"; do awk -v group="$group" '$1 == group { print $2 }' tools/dependencies; done | sort -u)
	# shellcheck disable=SC2086 # a list
	installed=$({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null || true; } |
		awk '$1 == "installed" { print $2 }' | sort -u)
	comm -23 <(echo "$wanted") <(echo "$installed")
}

# Services of the packages that this machine would start at boot, one a line.
services_enabled() {
	find /etc/systemd/system -path '*.wants/*.service' -printf '%f\n' 2>/dev/null | sort -u
}

# packages_install LOG PACKAGE...: installs them; nothing that they bring is started, now or at the next boot.
packages_install() {
	local log=$1 policy=/usr/sbin/policy-rc.d ours= before status=0
	shift
	before=$(services_enabled)
	# Exit status 101 forbids maintainer scripts to start a service (invoke-rc.d(8)).
	if [ ! -e "$policy" ]; then
		ours=yes
		printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy"
	fi
	{
		as_root apt-get update -q &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
	} >>"$log" 2>&1 </dev/null || status=$?
	[ -z "$ours" ] || as_root rm -f "$policy"
	if command -v systemctl >/dev/null; then
		comm -13 <(echo "$before") <(services_enabled) | while read -r service; do
			as_root systemctl disable --quiet "$service" </dev/null >>"$log" 2>&1 || true
		done
	fi
	return $status
}

# The line of LOG that says why something failed: the first that speaks of an error, else the last.
reason_in() {
	grep -m1 -iE '(^|[^a-z-])(error|fatal|emerg|cannot|unable)([^a-z-]|$)' "$1" || grep -v '^[[:space:]]*$' "$1" | tail -n 1
}
