# Sourced by ./run and ./test: makes .venv from Python 3.11+ and keeps it in step with pyproject.toml.

find_python() {
  local candidate
  for candidate in "${DIZUO_PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
    [ -n "$candidate" ] || continue
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$candidate"
      return 0
    fi
  done
  cat >&2 <<'TEXT'
dizuo needs Python 3.11 or later, and none was found.
  Debian, Ubuntu:  apt-get install python3 python3-venv
  or set DIZUO_PYTHON to its path.
TEXT
  return 1
}

# ensure_venv NAME EXTRAS: NAME keeps a stamp; EXTRAS is "" or "[test]".
ensure_venv() {
  local name=$1 extras=$2 python stamp want
  python=$(find_python)
  want=$("$python" -c 'import hashlib,sys; print(hashlib.sha256(open("pyproject.toml","rb").read()+sys.version.encode()).hexdigest())')
  stamp=.venv/.dizuo-$name
  if [ -x .venv/bin/dizuo ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && .venv/bin/python -c '' 2>/dev/null; then
    return 0
  fi
  if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    echo "Making a virtual environment in .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -m venv .venv; then
      echo "Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2
      return 1
    fi
  fi
  echo "Installing what dizuo needs into .venv (once)"
  .venv/bin/python -m pip install --disable-pip-version-check --progress-bar "${DIZUO_PIP_PROGRESS:-on}" -q -e ".$extras"
  echo "$want" >"$stamp"
}
