# shellcheck shell=bash
# The commands of ./dev.

usage() {
  cat <<'TEXT'
./dev run [--fresh] [--headless]   the portal with a private Postgres and the simulated cloud
                                   --fresh     drops what earlier runs stored
                                   --headless  prints one JSON line when all is up
./dev check                        while working: format, lints (but for the browser's half) and
                                   the tests of the rules
./dev test [NAME]                  format, what Postern is built of (deny.toml), lints, every
                                   test, the browser tests included;
                                   with NAME only the tests whose names contain it
./dev bench [NAME] [--json]        the benchmarks
./dev campaign [--runs N] [--seed S] [--lanes L] [--json]
                                   the fault campaign: N (200) runs of setups while the cloud
                                   misbehaves, processes are killed and connections are cut;
                                   the seed S (1) decides the plans, run i of it is
                                   --seed S+i --runs 1; L (2) clouds at the same time;
                                   with --json one object on standard output
./dev build                        builds everything that `run` needs
./dev pg [stop]                    starts (or stops) a Postgres for tests and prints its address
./dev cargo ARGUMENT…              cargo with the compiler and the flags that this project uses

Settings (environment): POSTERN_LISTEN (127.0.0.1:3000), CLOUD_LISTEN (127.0.0.1:4000),
POSTERN_PG_PORT (54329), CHROMIUM. With DATABASE_URL and POSTERN_CLIENT_ID `run` uses those
instead of a Postgres and a cloud of its own.
TEXT
}

main() {
  local command=${1:-help}
  [ "$#" -eq 0 ] || shift
  case "$command" in
    run) command_run "$@" ;;
    check) command_check "$@" ;;
    test) command_test "$@" ;;
    bench) command_bench "$@" ;;
    campaign) command_campaign "$@" ;;
    build) command_build "$@" ;;
    pg) command_pg "$@" ;;
    cargo) run_cargo "$@" ;;
    # For the parts in end2end/dev that are not in this language.
    wasm-cargo) run_wasm_cargo "$@" ;;
    need-deny) need_deny ;;
    build-site) lock && build_site ;;
    restart-postgres) need_postgres && pg_restart "$1" ;;
    stop-postgres) need_postgres && pg_stop "$1" ;;
    help | -h | --help) usage ;;
    *) usage >&2 && die "unknown command: $command" ;;
  esac
}

command_build() {
  [ "$#" -eq 0 ] || die "./dev build takes no arguments"
  lock
  build_site || die "the browser's half does not build"
  build_server debug || die "the server does not build"
  unlock
}

command_run() {
  local fresh=no headless=no argument
  for argument in "$@"; do
    case "$argument" in
      --fresh) fresh=yes ;;
      --headless) headless=yes ;;
      *) die "./dev run does not know $argument (it knows --fresh and --headless)" ;;
    esac
  done
  local own=yes
  if [ -n "${DATABASE_URL:-}" ] && [ -n "${POSTERN_CLIENT_ID:-}" ]; then
    own=no
    [ "$fresh" = no ] || die "--fresh drops the private database only, and DATABASE_URL names another"
  elif [ -n "${DATABASE_URL:-}${POSTERN_CLIENT_ID:-}" ]; then
    say "DATABASE_URL and POSTERN_CLIENT_ID count only together: using the private Postgres and the simulated cloud"
  fi
  need_privilege_or_nothing
  need_node
  # Before the builds: what will not work should say so at once.
  local ports=(POSTERN_LISTEN "${POSTERN_LISTEN:-127.0.0.1:3000}")
  [ "$own" = no ] || ports+=(CLOUD_LISTEN "${CLOUD_LISTEN:-127.0.0.1:4000}")
  node end2end/dev/ports.mjs "${ports[@]}" || exit 2
  command_build
  mkdir -p "$STATE/log"
  export RUN_HEADLESS=$headless
  if [ "$own" = yes ]; then
    start_run_postgres "$fresh"
    RUN_PG_PID=$(pg_pid "$PG_FOLDER")
    export RUN_PG_PID
  fi
  # It starts cloud and portal, and in the end calls `./dev stop-postgres`.
  exec node end2end/dev/run.mjs
}

command_pg() {
  case "${1:-}" in
    '')
      start_test_postgres pg-test
      echo "$POSTERN_TEST_DATABASE_URL"
      ;;
    stop)
      need_postgres
      drop_test_postgres "$(pg_folder pg-test)"
      ;;
    *) die "./dev pg takes nothing, or stop" ;;
  esac
}

command_check() {
  [ "$#" -eq 0 ] || die "./dev check takes no arguments"
  need_npm_packages
  choose_toolchain
  node end2end/dev/test.mjs check
}

command_test() {
  [ "$#" -le 1 ] || die "./dev test takes one NAME at most"
  need_privilege_or_nothing browser
  need_npm_packages
  choose_toolchain
  need_chromium
  need_wasm_bindgen
  need_nextest || export DEV_NO_NEXTEST=yes
  start_own_test_postgres
  # In the background, so that a signal to this script reaches its trap at once.
  node end2end/dev/test.mjs test "${1:-}" &
  wait_for $!
}

command_bench() {
  need_privilege_or_nothing browser
  need_npm_packages
  choose_toolchain
  need_chromium
  start_own_test_postgres
  node end2end/bench/main.mjs "$@" &
  wait_for $!
}

command_campaign() {
  local runs=200 seed=1 lanes=2 json=no
  while [ "$#" -gt 0 ]; do
    if [ "$1" = --json ]; then
      json=yes
      shift
      continue
    fi
    case "$1 ${2:-}" in
      --*\ *[!0-9]* | --*\ ) die "$1 takes a number" ;;
      --runs\ *) runs=$2 ;;
      --seed\ *) seed=$2 ;;
      --lanes\ *) lanes=$2 ;;
      *) die "./dev campaign does not know $1 (it knows --runs, --seed, --lanes and --json)" ;;
    esac
    shift 2
  done
  need_privilege_or_nothing
  choose_toolchain
  # Only a cluster that nobody else uses is restarted in the middle.
  local own=yes
  [ -z "${POSTERN_TEST_DATABASE_URL:-}" ] || own=no
  start_own_test_postgres
  export POSTERN_CAMPAIGN_RUNS=$runs POSTERN_CAMPAIGN_SEED=$seed POSTERN_CAMPAIGN_LANES=$lanes
  [ "$own" = no ] || export POSTERN_CAMPAIGN_RESTART="'$ROOT/dev' restart-postgres '$TEST_PG'"
  export RUST_BACKTRACE=0
  # The last line counts; the status is 1 with violations.
  local name=campaign::nothing_is_lost_doubled_or_wrongly_called_safe output status=0
  output=$(mktemp)
  run_cargo test --quiet -p server --test flows --no-run >&2 || die "the campaign does not build"
  local shown=1
  if [ "$json" = yes ]; then
    # Standard output is for the object alone.
    shown=2
    POSTERN_CAMPAIGN_JSON=$(mktemp)
    export POSTERN_CAMPAIGN_JSON
  fi
  (run_cargo test --quiet -p server --test flows -- --exact "$name" --nocapture 2>&1 | tee "$output" >&"$shown") &
  wait_for $! || true
  grep -q "^test result: ok. 1 passed" "$output" || status=1
  if [ "$json" = yes ]; then
    [ -s "$POSTERN_CAMPAIGN_JSON" ] || status=1
    cat "$POSTERN_CAMPAIGN_JSON"
    rm -f "$POSTERN_CAMPAIGN_JSON"
  else
    grep "^seed " "$output" | tail -n 1 || status=1
  fi
  rm -f "$output"
  return "$status"
}

# wait_for PID: passes signals on, gives the status.
wait_for() {
  local status=0
  # shellcheck disable=SC2064
  trap "kill -TERM $1 2>/dev/null" INT TERM
  wait "$1" || status=$?
  while kill -0 "$1" 2>/dev/null; do wait "$1" || status=$?; done
  return "$status"
}
