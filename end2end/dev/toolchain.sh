# shellcheck shell=bash
# Which Rust compiles Postern.
#
# Server and browser must come from the same compiler, and the browser's half needs the standard
# library for wasm32-unknown-unknown. Two ways, in this order:
#   rustup   the toolchain in use has that target, or rustup can add it
#   debian   Debian's Rust (packages *-web)
# Where the sources of the standard library are there, it is built along with the WASM.
# The choice is kept in .postern/toolchain; remove that file to have it made anew.

WASM=wasm32-unknown-unknown
RUST_AT_LEAST=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
DEBIAN_RUST=(rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy rustfmt-web lld-22)
RUSTUP_PATIENCE=90 # seconds

# True when the `rustc` found in PATH is new enough and has the target.
path_rust_has_wasm() {
  command -v rustc >/dev/null && command -v cargo >/dev/null || return 1
  at_least "$(rustc --version 2>/dev/null | cut -d' ' -f2)" "$RUST_AT_LEAST" || return 1
  [ -d "$(rustc --print sysroot)/lib/rustlib/$WASM/lib" ]
}

rustup_can_add_wasm() {
  command -v rustup >/dev/null || return 1
  at_least "$(rustc --version 2>/dev/null | cut -d' ' -f2)" "$RUST_AT_LEAST" || {
    say "rustup's Rust is older than $RUST_AT_LEAST: asking rustup for a newer one"
    timeout "$RUSTUP_PATIENCE" rustup update stable --no-self-update >&2 || return 1
  }
  say "asking rustup for the target $WASM (at most $RUSTUP_PATIENCE s)"
  timeout "$RUSTUP_PATIENCE" rustup target add "$WASM" >&2 && path_rust_has_wasm
}

debian_rust_is_there() {
  local package
  for package in "${DEBIAN_RUST[@]}"; do
    package_is_installed "$package" || return 1
  done
}

choose_toolchain() {
  [ -z "${TOOLCHAIN:-}" ] || return 0
  local kept=''
  mkdir -p "$STATE"
  need_c_compiler
  [ ! -f "$STATE/toolchain" ] || read -r kept <"$STATE/toolchain" || true
  if [ "$kept" = rustup ] && path_rust_has_wasm; then
    TOOLCHAIN=rustup
  elif [ "$kept" = debian ] && debian_rust_is_there; then
    TOOLCHAIN=debian
  elif path_rust_has_wasm; then
    TOOLCHAIN=rustup
  elif debian_rust_is_there; then
    TOOLCHAIN=debian
  elif rustup_can_add_wasm; then
    TOOLCHAIN=rustup
  elif need_packages "a Rust that can build for the browser" "${DEBIAN_RUST[@]}"; then
    TOOLCHAIN=debian
  else
    die "no Rust can build for the browser here. One of these helps:" \
      "rustup target add $WASM    (with Rust $RUST_AT_LEAST or newer)" \
      "apt-get install ${DEBIAN_RUST[*]}    (as root)"
  fi
  if [ "$kept" != "$TOOLCHAIN" ]; then
    if [ "$TOOLCHAIN" = debian ]; then
      say "Rust: Debian's, with its own build of the standard library for WASM"
    else
      say "Rust: $(rustc --version), with its $WASM"
      add_std_sources
    fi
    echo "$TOOLCHAIN" >"$STATE/toolchain"
  fi
  use_toolchain
}

# With its sources the standard library can be built small: what browsers load shrinks by a
# thirtieth. Tried once; it works without.
add_std_sources() {
  command -v rustup >/dev/null && [ ! -d "$(std_sources rustc)" ] || return 0
  say "asking rustup for the sources of the standard library (at most $RUSTUP_PATIENCE s)"
  timeout "$RUSTUP_PATIENCE" rustup component add rust-src >&2 ||
    say "rustup could not add them: the WASM will be a little larger"
}

std_sources() { echo "$("$1" --print sysroot)/lib/rustlib/src/rust/library"; }

use_toolchain() {
  # Flags from outside would replace those of .cargo/config.toml, and hydration would fail.
  local name
  for name in RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS; do
    [ -z "${!name:-}" ] || say "$name is set, and does not count here: it would replace the flags of .cargo/config.toml"
    unset "$name"
  done
  export CARGO_TARGET_DIR="$ROOT/target"
  if [ "$TOOLCHAIN" = debian ]; then
    export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc CARGO=/usr/bin/cargo RUSTFMT=/usr/bin/rustfmt
  else
    unset RUSTC RUSTDOC CARGO RUSTFMT
    if command -v rustup >/dev/null && ! { cargo clippy --version && cargo fmt --version; } >/dev/null 2>&1; then
      say "adding clippy and rustfmt to rustup's toolchain"
      timeout "$RUSTUP_PATIENCE" rustup component add clippy rustfmt >&2 ||
        say "rustup could not add them: ./dev check and ./dev test will fail there"
    fi
  fi
  need_own_flags
}

# Flags for one target, from the environment or from somebody's own configuration of cargo, replace
# those of .cargo/config.toml too. Cargo itself is asked what it would say to the compiler; nothing
# is built for that. Where it does not answer, the command that was asked for will say why.
need_own_flags() {
  local told
  told=$(RUSTC_BOOTSTRAP=1 CARGO_CACHE_RUSTC_INFO=0 "${CARGO:-cargo}" rustc --offline -Zunstable-options \
    --print cfg -p domain --lib 2>/dev/null) || return 0
  ! grep -qx erase_components <<<"$told" || return 0
  die "the server would be compiled without \`--cfg erase_components\`, and its pages would break in the browser." \
    "A target's own rustflags replace those of .cargo/config.toml. Take them out, or add this flag to them:" \
    "in ~/.cargo/config.toml or a .cargo/config.toml above this folder, under [target…];" \
    "in the environment, CARGO_TARGET_…_RUSTFLAGS"
}

# The cargo of the chosen toolchain. Sub-commands are called by their own name, because cargo
# looks in ~/.cargo/bin first and would find rustup's.
run_cargo() {
  choose_toolchain
  case "${1:-}" in
    nextest)
      "$(nextest_path)" "$@"
      ;;
    clippy | fmt)
      if [ "$TOOLCHAIN" = debian ]; then
        "/usr/bin/cargo-$1" "$@"
      else
        cargo "$@"
      fi
      ;;
    *) "${CARGO:-cargo}" "$@" ;;
  esac
}

# run_wasm_cargo COMMAND…: the same for the browser's half, in a target folder of its own:
# RUSTC_BOOTSTRAP changes what build scripts find out about the compiler, and would make cargo
# build the server anew each time.
run_wasm_cargo() {
  choose_toolchain
  local command=$1 standard_library=()
  shift
  if [ -d "$(std_sources "${RUSTC:-rustc}")" ]; then
    # Debian has it for this target in no other form; and this way it can be small.
    standard_library=("-Zbuild-std=std,panic_abort" -Zbuild-std-features=optimize_for_size)
    local -x RUSTC_BOOTSTRAP=1
  fi
  local -x CARGO_TARGET_DIR="$ROOT/target/wasm"
  # Replaces the flags of .cargo/config.toml for this target, so `erase_components` is said again.
  # getrandom has no default source of randomness in a browser.
  local -x CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='--cfg erase_components --cfg getrandom_backend="wasm_js"'
  # wasm-bindgen reads from the section `target_features` what it may use; stripping all removes it.
  local -x CARGO_PROFILE_WASM_STRIP=debuginfo
  run_cargo "$command" --target "$WASM" --profile wasm "${standard_library[@]}" "$@"
}

# Both Rusts leave linking to a C compiler, and some libraries have parts in C.
need_c_compiler() {
  command -v cc >/dev/null || need_packages "a C compiler" gcc libc6-dev ||
    die "a C compiler (cc) is needed"
}
