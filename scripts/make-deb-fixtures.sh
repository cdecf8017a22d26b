#!/bin/bash
# make-deb-fixtures.sh [FOLDER]   (default: tests/fixtures/deb)
#
# Makes small binary packages:
#   hello-{gzip,xz,zstd,none}   one for each compression that dpkg-deb writes
#   hello-bzip2                 whose archives are both compressed as only data archives used to be
#   libhello1                   of another source package, with an epoch and a long description
#   hello-udeb                  for the installer
# Needs the Debian packages dpkg, binutils and bzip2. Equal input gives equal files, with equal versions of these.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
output=${1:-$here/tests/fixtures/deb}
work=$(mktemp -d "${TMPDIR:-/tmp}/deb-fixtures.XXXXXX")
trap 'rm -rf "$work"' EXIT
umask 022
export SOURCE_DATE_EPOCH=1767571200 # 2026-01-05, as in the demonstration

for tool in dpkg-deb ar bzip2; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is missing (Debian: apt-get install dpkg binutils bzip2)" >&2; exit 1; }
done

# package FILE COMPRESSION   - of the control file on standard input
package() {
  local tree=$work/tree
  rm -rf "$tree"
  mkdir -p "$tree/DEBIAN" "$tree/usr/share/doc/hello"
  cat > "$tree/DEBIAN/control"
  echo "$1" > "$tree/usr/share/doc/hello/${1%%_*}"
  dpkg-deb --root-owner-group -Z"$2" --build "$tree" "$output/$1" > /dev/null
}

# hello NAME   - a control file
hello() {
  cat <<END
Package: $1
Version: 1.0-1
Architecture: all
Maintainer: Chantal <chantal@example.org>
Section: misc
Priority: optional
Description: says hello
END
}

mkdir -p "$output"
rm -f "$output"/*deb

for compression in gzip xz zstd none; do
  hello "hello-$compression" | package "hello-${compression}_1.0-1_all.deb" "$compression"
done

hello hello-bzip2 | package hello-bzip2_1.0-1_all.deb none
(
  cd "$work"
  ar x "$output/hello-bzip2_1.0-1_all.deb"
  bzip2 control.tar data.tar
  rm "$output/hello-bzip2_1.0-1_all.deb"
  ar rcDS "$output/hello-bzip2_1.0-1_all.deb" debian-binary control.tar.bz2 data.tar.bz2
)

package libhello1_2.0-1_amd64.deb xz <<END
Package: libhello1
Source: hello (1:2.0-1)
Version: 1:2.0-1
Architecture: amd64
Maintainer: Chantal <chantal@example.org>
Installed-Size: 12
Depends: hello-xz (>= 1.0), hello-gzip | hello-zstd
X-Unknown: kept
Section: libs
Priority: optional
Multi-Arch: same
Homepage: https://example.org/
Description: says hello to programs
 Its first paragraph.
 .
 Its second: has a colon.
END

package hello-udeb_1.0-1_amd64.udeb xz <<END
Package: hello-udeb
Source: hello
Version: 1.0-1
Architecture: amd64
Maintainer: Chantal <chantal@example.org>
Section: debian-installer
Priority: standard
Description: says hello to the installer
END

du -sh "$output"
