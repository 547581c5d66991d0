#!/bin/bash
# Stops what start-mapserver.sh and start-qgis.sh started in WORKDIR (data stays).
#   stop-lab.sh WORKDIR
work=$(cd "$1" && pwd) || exit 1
for f in "$work"/mapserver/lighttpd.pid "$work"/qgis/lighttpd.pid; do
  [ -s "$f" ] || continue
  read -r pid <"$f"
  if grep -qa lighttpd "/proc/$pid/cmdline" 2>/dev/null; then
    workers=$(ps -o pid= --ppid "$pid")          # lighttpd does not wait for a worker that is busy
    kill "$pid"
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep .1; done
    # shellcheck disable=SC2086
    kill -9 $workers 2>/dev/null
  fi
  rm -f "$f"
done
if [ -s "$work/pg/postmaster.pid" ]; then
  stop=("$(ls -d /usr/lib/postgresql/*/bin | tail -1)/pg_ctl" -D "$work/pg" -m fast -w stop)
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "${stop[@]}"; else "${stop[@]}"; fi >/dev/null
fi
exit 0
