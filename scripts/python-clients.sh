#!/usr/bin/env bash
# Installs the clients that the doors are tested with (Python's `wyoming`, `openai`, `deepgram-sdk` and `selenium`) into a folder of
# their own under the target folder, and prints that folder. A second run does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
folder=$target/python-clients
wanted='wyoming==1.10.2 openai[realtime]==3.51.0 selenium==4.51.0 deepgram-sdk==7.17.0 jsonschema==4.25.1'
# Finds what keeps people out of the page.
axe=axe-core@4.14.1
# Tests that run beside each other may all find it missing.
mkdir -p "$target"
exec 9>"$target/python-clients.lock"
if command -v flock >/dev/null; then flock 9; fi
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$wanted $axe" ]; then
    echo "Installing Python clients for the tests" >&2
    rm -rf "$folder"
    python3 -m venv "$folder"
    # shellcheck disable=SC2086 # the list is words
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check $wanted >&2
    tarball=$(npm pack --silent --pack-destination "$folder" "$axe")
    tar -xzf "$folder/$tarball" -C "$folder" --strip-components=1 package/axe.min.js
    rm "$folder/$tarball"
    echo "$wanted $axe" >"$folder/installed"
fi
echo "$folder"
