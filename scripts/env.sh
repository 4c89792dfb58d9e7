# shellcheck shell=bash
# Sourced by the other scripts: prepares the virtual environments from the requirements files and makes the checkout
# visible in them as the collection fathom.submariner, whatever folder it was cloned into.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root"
collection=fathom/submariner
say() { printf '==> %s\n' "$*" >&2; }

python_command() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo 'No Python 3.11 or newer was found. Install one, or name it: make PYTHON=/path/to/python3.' >&2
  exit 1
}

# environment NAME REQUIREMENTS: makes ./NAME from the file, once per content of the file. An interrupted run leaves no
# stamp, so the next one goes on.
environment() {
  local venv=$root/$1 file=$root/$2 want site python
  want=$(sha256sum "$file" | cut -d' ' -f1)
  if [ "$(cat "$venv/.stamp" 2>/dev/null)" != "$want" ]; then
    python=$(python_command)
    say "installing $2 into $1 ($("$python" --version), about a minute the first time)"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
    "$venv/bin/uv" pip install --quiet --system-certs --compile-bytecode --python "$venv/bin/python" -r "$file"
    echo "$want" >"$venv/.stamp"
  fi
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  mkdir -p "$site/ansible_collections/${collection%/*}"
  ln -sfn "$root" "$site/ansible_collections/$collection"
}

# use NAME: runs what follows in that environment. Without the collections path a copy in ~/.ansible would win over the
# checkout for roles and modules.
use() {
  PATH=$root/$1/bin:$PATH
  ANSIBLE_COLLECTIONS_PATH=$("$root/$1/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  export PATH ANSIBLE_COLLECTIONS_PATH
}
