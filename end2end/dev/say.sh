# shellcheck shell=bash
# Messages, locks and small helpers. What is said goes to standard error: standard output is for
# results (JSON, tables, the line that counts).

say() {
  if [ -t 2 ]; then printf '\033[2m·\033[0m %s\n' "$*" >&2; else printf '· %s\n' "$*" >&2; fi
}

# Ends with a message. The status is 2: nothing was tried, something has to be put right first.
die() {
  printf 'dev: %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '     %s\n' "$line" >&2; done
  exit 2
}

is_root() { [ "$(id -u)" = 0 ]; }

# True when version $1 is at least version $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# One set-up or build at a time in one checkout. The lock is file descriptor 9; what goes on
# running (Postgres) must be started with `9>&-`, or it would hold the lock for ever.
lock() {
  mkdir -p "$STATE"
  exec 9>"$STATE/lock"
  if ! flock -n 9; then
    say "another ./dev is building here: waiting for it"
    flock 9
  fi
}

unlock() { exec 9>&-; }
