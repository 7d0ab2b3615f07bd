# shellcheck shell=bash
# Builds: the server's half with cargo, the browser's half with cargo, wasm-bindgen and wasm-opt.

# build_server debug|release: the binaries `postern` and `cloud`.
build_server() {
  local profile=()
  [ "$1" = debug ] || profile=(--release)
  choose_toolchain
  # All default members: the same features of the libraries as in the tests, so nothing is built twice.
  run_cargo build "${profile[@]}" || return 1
}

# The files that browsers load: target/site/pkg. Their names carry a hash, target/site/hash.txt
# says which (the portal reads it when it starts), and beside each lies its .br and .gz.
build_site() {
  choose_toolchain
  need_npm_packages
  need_wasm_bindgen
  run_wasm_cargo build -p frontend || return 1
  node end2end/dev/site.mjs --wasm-bindgen "$WASM_BINDGEN" \
    --wasm "target/wasm/$WASM/wasm/frontend.wasm" --style style --site target/site || return 1
}
