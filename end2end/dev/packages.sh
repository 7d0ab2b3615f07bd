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

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >&2
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
    say "$what is missing, and this is no Debian: install it by hand (there: ${missing[*]})"
    return 1
  fi
  if ! is_root && ! as_root true; then
    say "$what is missing and needs an administrator once:"
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
