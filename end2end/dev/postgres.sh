# shellcheck shell=bash
# Private Postgres clusters: one for `./dev run` that keeps its data, one for tests that is fast
# and forgets. Never the system's. They listen on the loopback interface only.

# Sets PG_BIN, the folder of initdb, pg_ctl and psql.
need_postgres() {
  [ -z "${PG_BIN:-}" ] || return 0
  find_postgres || {
    install_postgres
    find_postgres || die "Postgres was installed, but initdb is not found in /usr/lib/postgresql"
  }
  export PG_BIN
}

find_postgres() {
  local folder
  # Debian keeps each version apart and out of PATH; the newest first.
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) \
    "$(dirname "$(readlink -f "$(command -v initdb || echo /none)" || echo /none)")" \
    "$(pg_config --bindir 2>/dev/null || true)"; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && [ -x "$folder/postgres" ] && [ -x "$folder/psql" ]; then
      PG_BIN=$folder
      return 0
    fi
  done
  return 1
}

install_postgres() {
  # Debian's package would create and start a cluster of its own: told not to, for this once.
  local drop_in=/etc/postgresql-common/createcluster.d/postern.conf
  if as_root mkdir -p "${drop_in%/*}" 2>/dev/null; then
    echo 'create_main_cluster = false' | as_root tee "$drop_in" >/dev/null
  fi
  need_packages "Postgres" postgresql || {
    as_root rm -f "$drop_in" 2>/dev/null || true
    die "Postgres is needed: install it, or put the folder of its initdb into PATH"
  }
  as_root rm -f "$drop_in"
}

# Postgres refuses root, so root runs it as the user that Debian made for it.
as_postgres() {
  if is_root; then
    # From a folder that this user may enter.
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# pg_folder NAME: where the cluster NAME lives: in .postern, unless root's checkout is in a place
# that the user postgres cannot reach.
pg_folder() {
  local place="$STATE"
  if is_root; then
    id postgres >/dev/null 2>&1 || {
      say "adding the system user postgres"
      useradd --system --no-create-home --shell /usr/sbin/nologin postgres >&2
    }
    as_postgres test -x "$STATE" || place="/var/tmp/postern-$(printf '%s' "$ROOT" | cksum | cut -d' ' -f1)"
  fi
  echo "$place/$1"
}

pg_is_running() { [ -d "$1" ] && as_postgres "$PG_BIN/pg_ctl" -D "$1" status >/dev/null 2>&1; }

# The port of a running cluster, from the file that it writes.
pg_port() { as_postgres sed -n 4p "$1/postmaster.pid"; }

pg_pid() { as_postgres sed -n 1p "$1/postmaster.pid"; }

# pg_create FOLDER PASSWORD: an empty password trusts everybody on this machine (tests).
pg_create() {
  local folder=$1 password=$2 options=(-D "$1" -U postgres -E UTF8 --locale=C --no-instructions)
  mkdir -p "${folder%/*}"
  rm -rf "$folder" "$folder.password"
  mkdir -m 700 "$folder"
  if [ -z "$password" ]; then
    options+=(-A trust --no-sync)
  else
    (umask 077 && printf '%s\n' "$password" >"$folder.password")
    options+=(-A scram-sha-256 --pwfile="$folder.password")
  fi
  if is_root; then
    chown postgres: "$folder"
    [ -z "$password" ] || chown postgres: "$folder.password"
  fi
  as_postgres "$PG_BIN/initdb" "${options[@]}" >/dev/null || die "initdb failed for $folder"
  rm -f "$folder.password"
}

# pg_start FOLDER PORT OPTION…
pg_start() {
  local folder=$1 port=$2
  shift 2
  as_postgres "$PG_BIN/pg_ctl" -D "$folder" -w -t 60 -l "$folder/log" start \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200 $*" \
    >/dev/null 2>&1 </dev/null 9>&- || {
    as_postgres tail -n 20 "$folder/log" >&2 || true
    die "Postgres does not start on 127.0.0.1:$port (its log is above; the port is the setting POSTERN_PG_PORT)"
  }
}

pg_stop() { ! pg_is_running "$1" || as_postgres "$PG_BIN/pg_ctl" -D "$1" -m fast -w stop >/dev/null; }

# With the options that it was started with; who is connected is cut off.
pg_restart() { as_postgres "$PG_BIN/pg_ctl" -D "$1" -m fast -w -l "$1/log" restart >/dev/null 2>&1 </dev/null 9>&-; }

# pg_psql URL: runs the SQL of standard input and stops at the first error.
pg_psql() { "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -d "$1" -f - >/dev/null; }

free_port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

# The cluster of `./dev run`, with a database and the two roles of DESIGN.md: the owner migrates,
# the server's role owns nothing and cannot get round row-level security.
# Exports PG_FOLDER, RUN_DATABASE_URL, RUN_OWNER_URL.
start_run_postgres() {
  local fresh=$1 port="${POSTERN_PG_PORT:-54329}" secrets="$STATE/pg-passwords"
  need_postgres
  PG_FOLDER=$(pg_folder pg)
  if [ "$fresh" = yes ] && [ -d "$PG_FOLDER" ]; then
    say "--fresh: dropping the database of earlier runs"
    pg_stop "$PG_FOLDER"
    rm -rf "$PG_FOLDER"
  fi
  # A run that was killed leaves Postgres running: taken over, or moved to the port of today.
  if pg_is_running "$PG_FOLDER" && [ "$(pg_port "$PG_FOLDER")" != "$port" ]; then pg_stop "$PG_FOLDER"; fi
  if ! pg_is_running "$PG_FOLDER"; then
    node "$ROOT/end2end/dev/ports.mjs" POSTERN_PG_PORT "127.0.0.1:$port" || exit 2
    if [ ! -f "$PG_FOLDER/created" ]; then
      say "creating a private Postgres cluster in $PG_FOLDER"
      (umask 077 && node -e 'for (let i = 0; i < 3; i++) console.log(require("crypto").randomBytes(18).toString("hex"))' >"$secrets")
      pg_create "$PG_FOLDER" "$(sed -n 1p "$secrets")"
    fi
    pg_start "$PG_FOLDER" "$port"
  fi
  local admin owner server
  { read -r admin && read -r owner && read -r server; } <"$secrets" || die "$secrets is damaged: ./dev run --fresh starts anew"
  local at="127.0.0.1:$port"
  RUN_OWNER_URL="postgres://postern_owner:$owner@$at/postern"
  RUN_DATABASE_URL="postgres://postern_server:$server@$at/postern"
  export PG_FOLDER RUN_OWNER_URL RUN_DATABASE_URL
  if [ ! -f "$PG_FOLDER/created" ]; then
    pg_psql "postgres://postgres:$admin@$at/postgres" <<SQL
create role postern_owner login nosuperuser nobypassrls password '$owner';
create role postern_server login nosuperuser nobypassrls nocreatedb nocreaterole password '$server';
create database postern owner postern_owner;
SQL
    as_postgres touch "$PG_FOLDER/created"
  fi
}

# A cluster for tests: no waiting for the disk, everybody on this machine is trusted. Exports
# POSTERN_TEST_DATABASE_URL: a superuser's, to create a database per test with.
start_test_postgres() {
  local folder
  need_postgres
  need_node
  folder=$(pg_folder "$1")
  if ! pg_is_running "$folder"; then
    pg_create "$folder" ''
    pg_start "$folder" "$(free_port)" -c fsync=off -c synchronous_commit=off -c full_page_writes=off
    pg_psql "postgres://postgres@127.0.0.1:$(pg_port "$folder")/postgres" <<'SQL'
create role postern_owner login nosuperuser nobypassrls;
create role postern_server login nosuperuser nobypassrls nocreatedb nocreaterole;
SQL
  fi
  TEST_PG=$folder
  POSTERN_TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$(pg_port "$folder")/postgres"
  export POSTERN_TEST_DATABASE_URL
}

# A cluster for this run of the tests alone, unless POSTERN_TEST_DATABASE_URL names one already.
# Two runs in one checkout do not meet.
start_own_test_postgres() {
  [ -z "${POSTERN_TEST_DATABASE_URL:-}" ] || return 0
  need_postgres
  local left
  for left in "$(pg_folder pg-test)"-*; do
    # Of a run that was killed: its process is gone.
    if [ -d "$left" ] && ! kill -0 "${left##*-}" 2>/dev/null; then drop_test_postgres "$left"; fi
  done
  trap 'drop_test_postgres "${TEST_PG:-}"' EXIT
  start_test_postgres "pg-test-$$"
}

drop_test_postgres() {
  [ -n "$1" ] || return 0
  ! pg_is_running "$1" || as_postgres "$PG_BIN/pg_ctl" -D "$1" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$1"
}
