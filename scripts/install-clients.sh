#!/bin/bash
# install-clients.sh   - installs, from Debian 12, the clients and servers that the end-to-end tests run. As root.
#
# Debian's zypper and dnf-plugins-core exclude each other, so zypper is unpacked into a folder of its own, where the tests look for it.
# Prints the versions; fails, naming it, where a program is missing afterwards.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/chantal-clients
export DEBIAN_FRONTEND=noninteractive

if [ "$(id -u)" != 0 ]; then
  echo "$0: run this as root" >&2
  exit 1
fi

# A server that is installed should not start: on a plain Debian the package's script would.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' > $policy
  chmod +x $policy
  trap 'rm -f $policy' EXIT
fi

# apt ARGUMENT ...   - apt-get that neither asks nor gives up at the first failure of a mirror, and waits for another apt to end
apt() {
  local attempt
  for attempt in 1 2 3; do
    if apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" < /dev/null; then return; fi
    echo "$0: apt-get $1 failed (attempt $attempt of 3)" >&2
    sleep $((attempt * 5))
  done
  return 1
}

apt update
apt install --no-install-recommends \
  dnf dnf-plugins-core createrepo-c rpm nginx-light postgresql gnupg gpgv openssl zstd xz-utils util-linux coreutils \
  libzypp1722 libaugeas0 ca-certificates git debootstrap apt-file apt-utils dpkg-dev
# Of Node any version starts what brings its own along.
command -v npm > /dev/null || apt install --no-install-recommends nodejs npm

unpack_zypper() (
  download=$(mktemp -d)
  trap 'rm -rf "$download"' EXIT
  # apt downloads as its own user, who must be able to write here.
  chmod 777 "$download"
  cd "$download"
  apt download zypper zypper-common
  rm -rf "$cache/zypper"
  mkdir -p "$cache/zypper"
  for package in *.deb; do dpkg-deb --extract "$package" "$cache/zypper"; done
)
unpack_zypper

PATH=$PATH:/usr/sbin:/sbin
failed=0
# report NAME COMMAND ...   - the first line of what the command says about its version
report() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then
    printf '%-14s %s\n' "$name" "${said%%$'\n'*}"
  else
    printf '%-14s MISSING\n' "$name"
    failed=1
  fi
}
report dnf dnf --version
report dnf-plugins dpkg-query --show --showformat '${Version}' dnf-plugins-core
report createrepo_c createrepo_c --version
report modifyrepo_c modifyrepo_c --version
report rpm rpm --version
report rpmsign rpmsign --version
report zypper "$cache/zypper/usr/bin/zypper" --version
report apt-get apt-get --version
report dpkg dpkg --version
report dpkg-source dpkg-source --version
report apt-file dpkg-query --show --showformat '${Version}' apt-file
report apt-ftparchive apt-ftparchive --version
report debootstrap debootstrap --version
report nginx nginx -v
report setpriv setpriv --version
report postgresql sh -c 'set -- /usr/lib/postgresql/*/bin/postgres; "$1" --version'
report gpg gpg --version
report gpgv gpgv --version
report zstd zstd --version
report xz xz --version
report openssl openssl version
report npm npm --version
exit $failed
