#!/usr/bin/env bash
# Makes sure that the system has what the build and the model downloads need; with `tests`, also
# what the tests start.
# Installs with apt-get where root or sudo allows; elsewhere prints the exact line to run.
set -euo pipefail

missing=()
have() { command -v "$1" >/dev/null 2>&1; }
need() { # need PACKAGE CHECK…: the package is missing unless the check succeeds
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' || compgen -G '/usr/lib*/libclang*.so*' \
        || compgen -G '/usr/lib/*/libclang*.so*' || compgen -G '/Library/Developer/CommandLineTools/usr/lib/libclang.dylib' \
        || compgen -G '/Applications/Xcode.app/Contents/Developer/Toolchains/*/usr/lib/libclang.dylib' \
        || compgen -G '/opt/homebrew/opt/llvm/lib/libclang.dylib'
}

if ! have cargo; then
    echo "Rust is missing: install it with rustup (https://rustup.rs), then run this again." >&2
    exit 1
fi

need build-essential have c++
need cmake have cmake
need clang have clang
need libclang-dev libclang
# Models come as packages of pip and npm where the hub cannot be reached.
need python3-pip bash -c 'python3 -m pip --version || pip3 --version || pip --version'
need npm have npm
if [ "$(uname -s)" = Linux ]; then
    need pkg-config have pkg-config
    need libasound2-dev pkg-config --exists alsa
fi

if [ "${1:-}" = tests ]; then
    # The page is tested in a real browser; the fonts are for the Chinese one.
    need chromium bash -c 'command -v chromium || command -v chromium-browser || command -v google-chrome'
    need chromium-driver have chromedriver
    need fonts-noto-cjk bash -c 'fc-list :lang=zh | grep -q .'
    # The doors are tested with clients in Python, in a folder of their own.
    need python3-venv bash -c 'python3 -c "import ensurepip, venv"'
    need mosquitto bash -c 'PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin command -v mosquitto'
fi

[ ${#missing[@]} -eq 0 ] && exit 0

translate() { # translate SYSTEM: the missing packages under that system's names
    for package in "${missing[@]}"; do
        case "$1:$package" in
            dnf:build-essential) echo gcc-c++ ;;
            dnf:libclang-dev) echo clang-devel ;;
            dnf:libasound2-dev) echo alsa-lib-devel ;;
            dnf:pkg-config) echo pkgconf-pkg-config ;;
            pacman:build-essential) echo base-devel ;;
            pacman:libclang-dev) echo clang ;;
            pacman:libasound2-dev) echo alsa-lib ;;
            pacman:pkg-config) echo pkgconf ;;
            dnf:chromium-driver) echo chromedriver ;;
            pacman:chromium-driver) ;;
            brew:chromium-driver) echo chromedriver ;;
            dnf:fonts-noto-cjk) echo google-noto-sans-cjk-fonts ;;
            pacman:fonts-noto-cjk) echo noto-fonts-cjk ;;
            brew:fonts-noto-cjk) ;;
            dnf:python3-venv | pacman:python3-venv | brew:python3-venv) ;;
            pacman:python3-pip) echo python-pip ;;
            brew:build-essential) ;;
            brew:clang | brew:libclang-dev) echo llvm ;;
            brew:python3-pip) echo python ;;
            brew:npm) echo node ;;
            *) echo "$package" ;;
        esac
    done | sort -u | tr '\n' ' '
}

if have apt-get; then
    line="apt-get install -y ${missing[*]}"
    if [ "$(id -u)" = 0 ]; then
        as_root=()
    elif have sudo && sudo -n true 2>/dev/null; then
        as_root=(sudo)
    elif have sudo && [ -t 0 ]; then
        echo "Installing with sudo: ${missing[*]}"
        as_root=(sudo)
    else
        echo "These system packages are missing. Run this, then try again:" >&2
        echo "    sudo $line" >&2
        exit 1
    fi
    echo "Installing ${missing[*]}"
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "The installation failed; the whole log is $log. By hand: sudo $line" >&2
        exit 1
    fi
    rm -f "$log"
    exit 0
fi

echo "These system packages are missing. Run this, then try again:" >&2
if [ "$(uname -s)" = Darwin ]; then
    echo "    xcode-select --install; brew install $(translate brew)" >&2
elif have dnf; then
    echo "    sudo dnf install $(translate dnf)" >&2
elif have pacman; then
    echo "    sudo pacman -S --needed $(translate pacman)" >&2
else
    echo "    the packages that your system calls: ${missing[*]}" >&2
fi
exit 1
