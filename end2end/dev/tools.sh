# shellcheck shell=bash
# Tools beside the compiler: Node with the npm packages of end2end/, wasm-bindgen, cargo-nextest,
# Chromium. Each is taken from the machine when it is there in the right version, else put into
# .postern/tools (Chromium: Debian's package).

NODE_AT_LEAST=20
NEXTEST_VERSION=0.9.143

need_node() {
  [ -z "${NODE_READY:-}" ] || return 0
  PATH="$TOOLS/node_modules/.bin:$PATH"
  export PATH
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    need_packages "Node.js and npm" nodejs npm || die "Node.js $NODE_AT_LEAST or newer and npm are needed"
    hash -r
  fi
  if ! at_least "$(node --version | tr -d v)" "$NODE_AT_LEAST"; then
    say "installing Node.js into .postern/tools: the one here is $(node --version), $NODE_AT_LEAST is needed"
    npm install --prefix "$TOOLS" --no-audit --no-fund --no-save --loglevel=error node@22 >&2 ||
      die "npm could not install Node.js $NODE_AT_LEAST or newer: install it by hand"
    hash -r
  fi
  NODE_READY=yes
}

need_npm_packages() {
  need_node
  local stamp="$ROOT/end2end/node_modules/.installed" wanted
  wanted=$(cat "$ROOT/end2end/package.json" "$ROOT/end2end/package-lock.json" | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ] || return 0
  say "installing the npm packages of end2end/"
  (
    cd "$ROOT/end2end"
    # No package may run scripts of its own while it is installed: none of ours needs to.
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || {
      say "not as locked (a registry may lag behind): resolving anew"
      npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    }
  ) || die "npm could not install the packages of end2end/package.json"
  echo "$wanted" >"$stamp"
}

# cargo_install CRATE VERSION OPTION…: into .postern/tools. Built quickly, not to run quickly.
cargo_install() {
  local crate=$1 version=$2
  shift 2
  say "building $crate $version (once; takes some minutes)"
  # Outside the checkout, whose .cargo/config.toml is not meant for it.
  (
    choose_toolchain
    cd /
    export CARGO_TARGET_DIR="$TOOLS/build" CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
      CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0
    "${CARGO:-cargo}" install "$crate" --version "$version" --root "$TOOLS" --no-track --force --quiet "$@" >&2
  )
}

wasm_bindgen_version() {
  sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;}' "$ROOT/Cargo.lock"
}

# Exports WASM_BINDGEN: exactly the version of the library, or what it writes does not fit.
need_wasm_bindgen() {
  local version candidate
  version=$(wasm_bindgen_version)
  for candidate in "$TOOLS/bin/wasm-bindgen" "$(command -v wasm-bindgen || true)"; do
    if [ -x "$candidate" ] && [ "$("$candidate" --version)" = "wasm-bindgen $version" ]; then
      export WASM_BINDGEN=$candidate
      return 0
    fi
  done
  # Its lock file may name versions that a registry does not serve yet.
  cargo_install wasm-bindgen-cli "$version" --bin wasm-bindgen --locked ||
    cargo_install wasm-bindgen-cli "$version" --bin wasm-bindgen ||
    die "wasm-bindgen $version could not be built"
  rm -rf "$TOOLS/build"
  export WASM_BINDGEN="$TOOLS/bin/wasm-bindgen"
}

nextest_path() {
  local candidate
  for candidate in "$(command -v cargo-nextest || true)" "$TOOLS/bin/cargo-nextest"; do
    [ ! -x "$candidate" ] || { echo "$candidate" && return 0; }
  done
  return 1
}

# Gives 1 when it cannot be had: `cargo test` does then.
need_nextest() {
  ! nextest_path >/dev/null || return 0
  [ ! -f "$STATE/no-nextest-$NEXTEST_VERSION" ] || return 1
  # It insists on its own lock file.
  if cargo_install cargo-nextest "$NEXTEST_VERSION" --locked; then
    rm -rf "$TOOLS/build"
  else
    say "cargo-nextest cannot be had: \`cargo test\` does instead"
    touch "$STATE/no-nextest-$NEXTEST_VERSION"
    return 1
  fi
}

DENY_VERSION=0.20.2

# Gives 1 when it cannot be had. Built only where there are advisories to ask about.
need_deny() {
  ! command -v cargo-deny >/dev/null || return 0
  [ ! -x "$TOOLS/bin/cargo-deny" ] || return 0
  [ ! -f "$STATE/no-deny-$DENY_VERSION" ] || return 1
  if cargo_install cargo-deny "$DENY_VERSION" --locked; then
    rm -rf "$TOOLS/build"
  else
    touch "$STATE/no-deny-$DENY_VERSION"
    return 1
  fi
}

# Exports CHROMIUM: the browser's binary.
find_chromium() {
  local candidate
  for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$candidate" ] || continue
    if candidate=$(command -v "$candidate"); then
      export CHROMIUM=$candidate
      return 0
    fi
  done
  return 1
}

need_chromium() {
  ! find_chromium || return 0
  [ -z "${CHROMIUM:-}" ] || die "CHROMIUM names $CHROMIUM, which is not there"
  need_packages "the browser" chromium fonts-dejavu-core ||
    die "Chromium is needed: install it, or name its binary in CHROMIUM"
  find_chromium || die "Debian's chromium was installed, but is not in PATH"
}
