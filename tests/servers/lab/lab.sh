# Sourced by the start scripts: arguments, Debian packages, the layers' files, and a PostGIS of our own.
#   START-SCRIPT WORKDIR PORT [PARCELS=5000]
# WORKDIR must be a folder that the user postgres can enter (mktemp -d makes it 0700: chmod 755).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1" && work=$(cd "$1" && pwd) || exit 1
port=$2 parcels=${3:-5000}
data=$work/data pg=$work/pg
mkdir -p "$data"

# Installs PACKAGES when the test, a shell command, fails: packages TEST PACKAGE...
packages() {
  local check=$1
  shift
  ! bash -c "$check" >/dev/null 2>&1 || return 0
  echo "installing: $*" >&2
  { apt-get -o Acquire::Retries=3 update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 install -y --no-install-recommends "$@"; } \
    >"$work/apt.log" 2>&1 </dev/null || { tail -n 20 "$work/apt.log" >&2; exit 1; }
}

make_data() {
  [ -e "$data/ready-$parcels" ] && return
  rm -f "$data"/*
  /usr/bin/python3 "$here/make-data.py" "$data" "$parcels" >"$work/data.log" 2>&1 || { cat "$work/data.log" >&2; exit 1; }
  touch "$data/ready-$parcels"
}

# PostgreSQL refuses to run as root: everything of it runs as postgres then.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
pgbin() { ls -d /usr/lib/postgresql/*/bin | tail -1; }
pg_user() { as_postgres id -un; }
sql() { as_postgres psql -h "$pg" -d "$1" -qAtX -v ON_ERROR_STOP=1 -c "$2"; }

start_postgis() {  # on a unix socket in $pg, no TCP; every layer as a table of its own name, key gid = the GeoPackage's fid
  as_postgres test -x "$work" || { echo "$work cannot be entered by the user postgres" >&2; exit 1; }
  if [ ! -s "$pg/PG_VERSION" ]; then
    mkdir -p "$pg"; [ "$(id -u)" != 0 ] || chown postgres "$pg"
    as_postgres "$(pgbin)/initdb" -D "$pg" -A trust -E UTF8 --no-locale >"$work/initdb.log" 2>&1
  fi
  as_postgres "$(pgbin)/pg_ctl" -D "$pg" status >/dev/null 2>&1 ||
    as_postgres "$(pgbin)/pg_ctl" -D "$pg" -w -l "$pg/log" start >/dev/null \
      -o "-c listen_addresses='' -c unix_socket_directories='$pg' -c fsync=off -c timezone=UTC"
  [ "$(sql postgres "select 1 from pg_database where datname='lab'")" ] ||
    { sql postgres "create database lab"; sql lab "create extension postgis"; }
  [ -z "$(sql lab "select to_regclass('ready')")" ] || return 0
  local file
  for file in lab parcelle; do
    PG_USE_COPY=YES ogr2ogr -f PostgreSQL "PG:host=$pg dbname=lab user=$(pg_user)" "$data/$file.gpkg" \
      -overwrite -preserve_fid -lco GEOMETRY_NAME=geom -lco FID=gid -lco FID64=TRUE -lco PRECISION=NO
  done
  # Scans run in parallel whatever the size, as they do by themselves on 200,000 rows: an unsorted page then
  # starts anywhere, so that pages without a sort overlap and miss rows here too.
  sql lab "create index on parcelle (id); create index on parcelle (code_com); analyze; create table ready();
           alter database lab set min_parallel_table_scan_size = 0; alter database lab set parallel_setup_cost = 0;
           alter database lab set parallel_tuple_cost = 0; alter database lab set jit = off"
}

# Waits until URL answers GetCapabilities; prints URL.
wait_for() {
  for _ in $(seq 150); do
    case $(curl -s "$1?service=WFS&version=1.1.0&request=GetCapabilities" || true) in
      *WFS_Capabilities*) echo "$1"; return ;;
    esac
    sleep .2
  done
  echo "no answer from $1; see $work" >&2
  exit 1
}

# Starts lighttpd for WHAT (mapserver, qgis) with the configuration read from stdin, unless it runs already: then at the port
# it was started with. The configuration names neither port, log nor pid file.
start_lighttpd() {
  local run=$work/$1
  if [ -s "$run/lighttpd.pid" ] && kill -0 "$(cat "$run/lighttpd.pid")" 2>/dev/null; then return; fi
  { cat <<CONF
server.modules = ("mod_fastcgi", "mod_accesslog")
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "$run"
server.pid-file = "$run/lighttpd.pid"
server.errorlog = "$run/lighttpd.log"
accesslog.filename = "$run/access.log"
server.stream-response-body = 2
CONF
    cat; } >"$run/lighttpd.conf"
  lighttpd -f "$run/lighttpd.conf" </dev/null
}

# A lab that runs already keeps its port.
running_port() {
  local run=$work/$1
  { [ -s "$run/lighttpd.pid" ] && kill -0 "$(cat "$run/lighttpd.pid")" 2>/dev/null &&
    sed -n 's/^server.port = //p' "$run/lighttpd.conf"; } || echo "$port"
}
