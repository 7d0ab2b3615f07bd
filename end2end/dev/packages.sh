# shellcheck shell=bash
# Debian's packages: installed when missing, where this user may do that.

APT_UPDATED=no

package_is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

# as_root COMMAND…: runs it as root, or fails when this user cannot become root.
as_root() {
  if is_root; then
    "$@"
  elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    return 126
  fi
}

# Its many lines go to a log; the end of that log is shown when it fails.
apt_get() {
  local log="$STATE/log/apt.log"
  mkdir -p "${log%/*}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    return 1
  }
}

# need_packages WHAT PACKAGE…: WHAT says in words what they are for.
# Gives 1 when they cannot be had here; the reason is said.
need_packages() {
  local what=$1 package missing=()
  shift
  for package in "$@"; do
    package_is_installed "$package" || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0

  if ! command -v apt-get >/dev/null; then
    say "missing: $what. This is no Debian: install it by hand (there it is called ${missing[*]})"
    return 1
  fi
  if ! as_root true; then
    say "missing: $what. An administrator has to install it once:"
    say "    apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    return 1
  fi
  say "installing $what: Debian's ${missing[*]}"
  if [ "$APT_UPDATED" = no ]; then
    # A mirror that cannot be reached does not matter when the lists are there already.
    apt_get update || say "apt-get update failed: going on with the package lists that are here"
    APT_UPDATED=yes
  fi
  apt_get install --no-install-recommends "${missing[@]}" || {
    say "apt-get could not install: ${missing[*]}"
    return 1
  }
}

# Who cannot install anything is told everything that is missing at once, not one by one.
# Argument: `browser` when that is needed too.
need_privilege_or_nothing() {
  local missing=()
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)
  find_postgres || missing+=(postgresql)
  [ "${1:-}" != browser ] || find_chromium || missing+=(chromium fonts-dejavu-core)
  [ "${#missing[@]}" -gt 0 ] && ! as_root true || return 0
  # Rust's packages too, unless it is clear that they are not needed.
  path_rust_has_wasm || debian_rust_is_there || missing+=("${DEBIAN_RUST[@]}")
  die "this user cannot install what is missing here. An administrator has to, once:" \
    "apt-get update && apt-get install --no-install-recommends ${missing[*]}"
}
