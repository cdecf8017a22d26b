#!/bin/bash
# make-rpm-fixtures.sh [FOLDER]   (default: tests/fixtures/rpm-headers; FOLDER-modular comes along)
#
# Makes packages whose headers hold what headers can hold, and the metadata that createrepo_c makes of them:
#   chantal-odd     dependencies of every kind, files of every kind, changelogs, an epoch
#   chantal-plain   nothing that it need not have; its source package comes along
# and in a folder of its own, for no client installs it without a modules document:
#   chantal-modular a package of a module
# Needs the Debian packages rpm and createrepo-c. Equal input gives equal files, with equal versions of these.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
output=${1:-$here/tests/fixtures/rpm-headers}
work=$(mktemp -d "${TMPDIR:-/tmp}/rpm-fixtures.XXXXXX")
trap 'rm -rf "$work"' EXIT
umask 022
time=1767571200 # 2026-01-05, as in the demonstration
export SOURCE_DATE_EPOCH=$time

for tool in rpmbuild createrepo_c; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is missing (Debian: apt-get install rpm createrepo-c)" >&2; exit 1; }
done

cat > "$work/odd.spec" <<'END'
Name: chantal-odd
Epoch: 3
Version: 1.0~rc1
Release: 2^git1
Summary: Odd & <small>
License: MIT
Vendor: "Vendor" & Sons
Packager: Grüße <packager@example.org>
Group: Development/Tools
URL: https://example.org/?a=1&b=2
BuildArch: noarch
AutoReqProv: no
Provides: virtual
Provides: virtual-versioned = 2:3.4-5
Provides: chantal(odd) = 1
Requires: /etc/chantal/odd.conf
Requires: /usr/share/chantal/odd
Requires: plain
Requires: plain
Requires: lower < 1.0
Requires: atmost <= 1:2-3
Requires: atleast >= 4
Requires: above > 5.6-7
Requires: (rich or (choice and more))
Requires: virtual
Requires: libc.so.6(GLIBC_2.4)(64bit)
Requires: libc.so.6()(64bit)
Requires: libc.so.6(GLIBC_2.34)(64bit)
Requires: libc.so.6(GLIBC_2.14)(64bit)
Requires(pre): needed-before >= 1
Requires(post): needed-after
Requires(preun): needed-for-removal
Conflicts: foe < 2
Obsoletes: ancestor < 3:1.0
Recommends: friend >= 1
Suggests: idea
Supplements: (host and guest)
Enhances: thing = 1

%description
Its description has several lines,
	a tab, "quotes", <tags> & ümlauts.

%install
mkdir -p %{buildroot}/etc/chantal/empty %{buildroot}/usr/bin %{buildroot}/usr/share/chantal %{buildroot}/usr/lib
echo a > %{buildroot}/etc/chantal/odd.conf
echo b > %{buildroot}/usr/bin/odd
echo c > "%{buildroot}/usr/share/chantal/with space & more"
echo d > %{buildroot}/usr/share/chantal/odd
echo e > %{buildroot}/usr/lib/sendmail
ln -s odd %{buildroot}/usr/share/chantal/link

%files
%config(noreplace) /etc/chantal/odd.conf
%dir /etc/chantal/empty
%ghost /etc/chantal/ghost.conf
%ghost /usr/share/chantal/ghost
/usr/bin/odd
/usr/lib/sendmail
%dir /usr/share/chantal
"/usr/share/chantal/with space & more"
/usr/share/chantal/odd
/usr/share/chantal/link

%changelog
END
for day in 14 13 13 13 12 11 10 09 08 07 06 05; do
  weekday=$(LC_ALL=C date -u -d "2026-01-$day" '+%a')
  printf '* %s Jan %s 2026 Maintainer "M" <m@example.org> - 1.0-%s\n- Change & <more> of that day\n\n' "$weekday" "$day" "$day"
done >> "$work/odd.spec"

cat > "$work/plain.spec" <<'END'
Name: chantal-plain
Version: 1
Release: 1
Summary: Plain
License: MIT
BuildArch: noarch
%description
%files
END

cat > "$work/modular.spec" <<'END'
Name: chantal-modular
Version: 1
Release: 1
Summary: Of a module
License: MIT
BuildArch: noarch
ModularityLabel: chantal:1:20260105:abcdef
%description
%files
END

for spec in odd plain modular; do
  rpmbuild --quiet -ba --define "_topdir $work/build" --define "_buildhost builder.example.org" \
    --define 'use_source_date_epoch_as_buildtime 1' --define 'source_date_epoch_from_changelog 0' \
    --define 'clamp_mtime_to_source_date_epoch 1' --define "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
    --define 'ghost_missing 1' --nocheck "$work/$spec.spec" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
done
rm -rf "$output" "$output-modular"
mkdir -p "$output" "$output-modular"
mv "$work"/build/RPMS/chantal-modular-*.rpm "$output-modular"
cp "$work"/build/RPMS/*.rpm "$work"/build/SRPMS/chantal-plain-*.rpm "$output"
find "$output" -exec touch -d "@$time" {} +
createrepo_c --quiet --no-database --general-compress-type=gz --changelog-limit 10 --simple-md-filenames "$output"
for document in primary filelists other; do gunzip "$output/repodata/$document.xml.gz"; mv "$output/repodata/$document.xml" "$output"; done
rm -r "$output/repodata"
cat > "$output/README.md" <<'END'
# RPM packages and what createrepo_c says of them

Made by `scripts/make-rpm-fixtures.sh`, which says what each is for, with rpm 4.18 and createrepo_c 0.17.
END
cat > "$output-modular/README.md" <<'END'
# A package of a module

Made by `scripts/make-rpm-fixtures.sh`, with rpm 4.18.
END
du -sh "$output" "$output-modular"
