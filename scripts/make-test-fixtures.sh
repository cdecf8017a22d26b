#!/bin/bash
# make-test-fixtures.sh [FOLDER]   (default: tests/fixtures/rpm)
#
# Makes small repositories with one oddity each out of assets/demo/v1:
#   unsigned    neither packages nor metadata are signed
#   flat        packages lie at the top, beside repodata/
#   duplicate   one NEVRA twice, in two folders, with different bytes
# Needs the Debian packages rpm and createrepo-c. Equal input gives equal files.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
output=${1:-$here/tests/fixtures/rpm}
demo=$here/assets/demo/v1/Packages
work=$(mktemp -d "${TMPDIR:-/tmp}/test-fixtures.XXXXXX")
trap 'rm -rf "$work"' EXIT
umask 022
time=1767571200 # 2026-01-05, as in the demonstration

for tool in rpmsign createrepo_c; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is missing (Debian: apt-get install rpm createrepo-c)" >&2; exit 1; }
done

# index NAME   - writes the metadata of $work/NAME and puts it where fixtures are
index() {
  find "$work/$1" -exec touch -d "@$time" {} +
  createrepo_c --quiet --no-database --general-compress-type=gz --revision "$time" --set-timestamp-to-revision "$work/$1"
  mkdir -p "$output"
  rm -rf "${output:?}/$1"
  mv "$work/$1" "$output/$1"
}

mkdir -p "$work"/{unsigned/Packages,flat,duplicate/a,duplicate/b}

cp "$demo"/demo-{common,hello}-1.0-1.noarch.rpm "$work/unsigned/Packages"
rpmsign --delsign "$work"/unsigned/Packages/*.rpm > /dev/null
cp "$demo"/demo-{common,hello}-1.0-1.noarch.rpm "$work/flat"
cp "$demo/demo-common-1.0-1.noarch.rpm" "$work/duplicate/a"
cp "$work/unsigned/Packages/demo-common-1.0-1.noarch.rpm" "$work/duplicate/b"

index unsigned
index flat
index duplicate
du -sh "$output"
