# What the scripts of this folder share. Sourced by them, with $me set to the name that their messages begin with.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vgg-peers
python=/usr/bin/python3 # Debian's own: another Python does not see the packages that apt-get installs

# install PACKAGE…: installs Debian packages one at a time, so that one that fails does not stop the others.
install() {
  local package failed=0
  [ $# -gt 0 ] || return 0
  apt-get update -qq >/dev/null 2>&1 || true
  for package in "$@"; do
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
      { echo "$me: cannot install $package (apt-get needs Debian and root)" >&2; failed=1; }
  done
  return $failed
}

# install_onnxruntime: installs onnxruntime for node in the cache folder.
install_onnxruntime() {
  [ -d "$cache/node_modules/onnxruntime-node" ] ||
    npm install --prefix "$cache" --ignore-scripts onnxruntime-node >"$cache/npm.log" 2>&1 ||
    { echo "$me: npm cannot install onnxruntime-node, see $cache/npm.log" >&2; return 1; }
}

mkdir -p "$cache"
