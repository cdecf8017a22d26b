#!/bin/bash
# make-apt-fixtures.sh [FOLDER]   (default: tests/fixtures/apt)
#
# Builds a small signed APT upstream in two states, FOLDER/v1 and FOLDER/v2:
#   stable          Codename chantal; main and contrib, amd64 and i386; arch:all in every index and in one of its own; signed by two keys;
#                   by-hash (v2 keeps the indexes of v1), pdiffs, translations, Contents, dep11, cnf, udebs, sources, an installer.
#                   Plain Packages and Sources are listed and not there, as at Debian.
#   stable-updates  NotAutomatic, Valid-Until, no by-hash, MD5 and SHA-512 besides SHA-256; arch:all in binary-all only; one update is phased.
#   old/updates     components with a path, as old security archives have them.
#   flat/           no components; Release hashes itself, with a value that is stale.
# Beside them the keys: archive and next sign, other does not.
#
# Needs the Debian packages apt-utils, dpkg-dev, gnupg, xz-utils, zstd, diffutils. The keys are kept where they are; everything comes out the same.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
output=${1:-$here/tests/fixtures/apt}
work=$(mktemp -d "${TMPDIR:-/tmp}/apt-fixtures.XXXXXX")
cleanup() {
  GNUPGHOME=$work/gnupg gpgconf --kill all || true
  rm -rf "$work"
}
trap cleanup EXIT

for tool in apt-ftparchive dpkg-deb dpkg-source gpg xz zstd perl diff; do
  command -v "$tool" > /dev/null || { echo "$0: $tool is missing (Debian: apt-get install apt-utils dpkg-dev gnupg zstd)" >&2; exit 1; }
done

time_v1=1767571200 # 2026-01-05
time_v2=1769990400 # 2026-02-02
export TZ=UTC LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=$time_v1
export HOME=$work GNUPGHOME=$work/gnupg
umask 022
mkdir -p "$output/keys"
output=$(cd "$output" && pwd)

# --- keys -----------------------------------------------------------------------------------------------------------------------------

mkdir -m 700 "$GNUPGHOME"
echo 'faked-system-time 20260101T000000' > "$GNUPGHOME/gpg.conf"
for name in archive next other; do
  if [ ! -e "$output/keys/$name.private.asc" ]; then
    gpg --batch --quiet --passphrase '' --quick-generate-key "Chantal test $name <$name@chantal.example>" ed25519 sign never
    gpg --batch --quiet --armor --export-secret-keys "$name@chantal.example" > "$output/keys/$name.private.asc"
    gpg --batch --quiet --armor --export "$name@chantal.example" > "$output/keys/$name.asc"
  else
    gpg --batch --quiet --import "$output/keys/$name.private.asc"
  fi
done
gpg --batch --quiet --export archive@chantal.example > "$output/keys/archive.gpg"

# sign FOLDER TIME KEY ...   - InRelease, Release and Release.gpg out of FOLDER/Release
sign() {
  local folder=$1 time=$2 key users=()
  shift 2
  for key in "$@"; do users+=(--local-user "$key@chantal.example"); done
  echo "faked-system-time $(date -d "@$time" +%Y%m%dT%H%M%S)" > "$GNUPGHOME/gpg.conf"
  gpg --batch --quiet "${users[@]}" --clearsign --output "$folder/InRelease" "$folder/Release"
  gpg --batch --quiet "${users[@]}" --armor --detach-sign --output "$folder/Release.gpg" "$folder/Release"
}

# --- packages -------------------------------------------------------------------------------------------------------------------------

# folder_of COMPONENT SOURCE   - where a pool has it
folder_of() {
  case $2 in
    lib*) echo "pool/$1/${2:0:4}/$2" ;;
    *) echo "pool/$1/${2:0:1}/$2" ;;
  esac
}

# deb FOLDER NAME VERSION ARCHITECTURE [/PATH=CONTENT ...]   - further fields come on standard input; compression and extension may be set
deb() {
  local folder=$work/all/$1 name=$2 version=$3 architecture=$4 tree=$work/tree pair path
  shift 4
  rm -rf "$tree"
  mkdir -p "$tree/DEBIAN" "$folder"
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\n' "$name" "$version" "$architecture"
    cat
  } > "$tree/DEBIAN/control"
  for pair in "$@"; do
    path=$tree${pair%%=*}
    mkdir -p "$(dirname "$path")"
    printf '%s\n' "${pair#*=}" > "$path"
    case ${pair%%=*} in /usr/bin/*) chmod 755 "$path" ;; esac
  done
  find "$tree" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --root-owner-group -Z"${compression:-xz}" --build "$tree" \
    "$folder/${name}_${version#*:}_$architecture.${extension:-deb}" > /dev/null
}

maintainer='Maintainer: Test Maintainer <test@chantal.example>'

greeter() {
  local version=$1 architecture
  for architecture in amd64 i386; do
    deb "$(folder_of main greeter)" greeter "$version" $architecture "/usr/bin/greeter=#!/bin/cat $version" <<CONTROL
$maintainer
Installed-Size: 20
Depends: greeter-data (>= $version), libgreet1 (>= 1:2.0~rc1) | libgreet0 | greet-none:any
Suggests: greeter-plugins
Provides: greeting-service (= $version)
Section: utils
Priority: optional
Multi-Arch: foreign
Homepage: https://chantal.example/greeter
Tag: interface::commandline,
 role::program, use::chatting
X-Test-Order: kept
Description: says hello
 It says hello to whoever runs it.
 .
 This paragraph stands after a line with a dot.
  * an item that is indented
CONTROL
  done
  deb "$(folder_of main greeter)" greeter-data "$version" all "/usr/share/greeter/words=hello $version" <<CONTROL
Source: greeter
$maintainer
Installed-Size: 10
Section: utils
Priority: optional
Multi-Arch: foreign
Description: words that greeter says
 Words in one language; others may follow.
CONTROL
}
greeter 0.9-1
greeter 1.0-1
greeter 1.0-1+u1
SOURCE_DATE_EPOCH=$time_v2 greeter 1.1-1

for architecture in amd64 i386; do
  deb "$(folder_of main libgreet)" libgreet1 1:2.0~rc1+dfsg-1 $architecture "/usr/lib/libgreet.so.1=$architecture" <<CONTROL
Source: libgreet
$maintainer
Installed-Size: 10
Section: libs
Priority: optional
Multi-Arch: same
Description: library for greetings
 It holds no code at all.
CONTROL
  for name in demo-libc demo-base apt; do
    case $name in
      demo-libc) depends= priority=required ;;
      demo-base) depends='Pre-Depends: demo-libc' priority=required ;;
      apt) depends='Depends: demo-base' priority=important ;;
    esac
    files=("/usr/share/minimal/$name=$architecture")
    # debootstrap makes devices in a folder that a package brings.
    if [ $name = demo-base ]; then files+=('/dev/README=devices'); fi
    deb "$(folder_of main $name)" $name 1.0 $architecture "${files[@]}" <<CONTROL
$maintainer
Installed-Size: 10
${depends:+$depends
}Section: admin
Priority: $priority
Essential: $([ $name = demo-base ] && echo yes || echo no)
Description: part of a system that is too small to run
 debootstrap unpacks it.
CONTROL
  done
done

extension=udeb deb "$(folder_of main greeter)" greeter-udeb 1.0-1 amd64 '/usr/bin/greeter=#!/bin/cat' <<CONTROL
Source: greeter
$maintainer
Installed-Size: 4
Package-Type: udeb
Section: debian-installer
Priority: extra
Description: says hello while installing
CONTROL

# A name that is not UTF-8, and no Section or Priority that depends on it.
compression=gzip deb "$(folder_of contrib greeter-plugins)" greeter-plugins 1.0 amd64 /usr/share/greeter/plugins/loud=HELLO < <(printf '%b' \
  'Maintainer: J\xf6rg Prüfer <test@chantal.example>\nInstalled-Size: 10\nDepends: greeter (>= 1.0), libgreet1\nSection: contrib/utils\n' \
  'Priority: optional\nDescription: louder greetings\n For those who do not hear well.\n')
SOURCE_DATE_EPOCH=$time_v2 compression=zstd deb "$(folder_of main greeter-extra)" greeter-extra 1.0 amd64 /usr/share/greeter/extra=moin <<CONTROL
$maintainer
Installed-Size: 10
Depends: greeter (>= 1.1)
Section: utils
Priority: optional
Description: greetings of the north
 Packed with zstd.
CONTROL

deb "$(folder_of main old)" old-fix 1.0 amd64 /usr/share/old/fix=1 <<CONTROL
$maintainer
Section: utils
Priority: optional
Description: a fix for old systems
CONTROL

for state in v1 v2; do
  deb "flat-$state" flat-tool 1.0 all "/usr/share/flat/tool=$state" <<CONTROL
$maintainer
Description: built anew under its old name in the second state
 No Section, no Priority, no Installed-Size.
CONTROL
done
deb flat-v1 flat-lib 0.1 amd64 /usr/share/flat/lib=0.1 <<CONTROL
$maintainer
Section: libs
Priority: optional
Description: gone in the second state
CONTROL
deb flat-v2 flat-lib 0.2 amd64 /usr/share/flat/lib=0.2 <<CONTROL
$maintainer
Section: libs
Priority: optional
Description: new in the second state
CONTROL

# --- sources --------------------------------------------------------------------------------------------------------------------------

# source FOLDER NAME VERSION FORMAT COMPONENT BINARY:ARCHITECTURE ...   - all of one upstream version share its tarball
source_package() {
  local folder=$work/all/$1 name=$2 version=$3 format=$4 section=$5 upstream binary tree
  shift 5
  upstream=${version%-*}
  tree=$work/sources/$name-${upstream#*:}
  rm -rf "$tree"
  mkdir -p "$tree/debian/source" "$folder"
  echo "Sources of $name $upstream" > "$tree/README"
  find "$tree" -exec touch -d "@$time_v1" {} +
  if [ "$format" != '3.0 (native)' ]; then
    (cd "$work/sources" && tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$time_v1" --exclude=debian -cf - "$name-${upstream#*:}") |
      if [ "$format" = 1.0 ]; then gzip -9n > "$folder/${name}_${upstream#*:}.orig.tar.gz"; else xz > "$folder/${name}_${upstream#*:}.orig.tar.xz"; fi
  fi
  echo "$format" > "$tree/debian/source/format"
  printf '#!/usr/bin/make -f\n%%:\n\ttrue\n' > "$tree/debian/rules"
  chmod 755 "$tree/debian/rules"
  printf '%s (%s) stable; urgency=low\n\n  * A version.\n\n -- Test Maintainer <test@chantal.example>  %s\n' \
    "$name" "$version" "$(date -R -d "@$SOURCE_DATE_EPOCH")" > "$tree/debian/changelog"
  {
    printf 'Source: %s\n%s\nSection: %s\nPriority: optional\nStandards-Version: 4.6.2\nBuild-Depends: debhelper-compat (= 13)\n' "$name" "$maintainer" "$section"
    for binary in "$@"; do
      printf '\nPackage: %s\nArchitecture: %s\nDescription: %s\n of source %s\n' "${binary%:*}" "${binary#*:}" "${binary%:*}" "$name"
    done
  } > "$tree/debian/control"
  find "$tree" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
  mkdir -p "$work/built"
  rm -f "$work"/built/*
  # What it builds stands beside the tree, and the tarball has to be there as well.
  cp "$folder/${name}_${upstream#*:}".orig.tar.* "$work/built/" 2> /dev/null || true
  mv "$tree" "$work/built/tree-$name"
  mv "$work/built/tree-$name" "$work/built/$name-${upstream#*:}"
  (cd "$work/built" && dpkg-source --build "$name-${upstream#*:}" > /dev/null)
  rm -rf "$work/built/$name-${upstream#*:}"
  cp "$work"/built/* "$folder/"
}

mkdir "$work/sources"
greeter_binaries=(greeter:any greeter-data:all)
source_package "$(folder_of main greeter)" greeter 0.9-1 '3.0 (quilt)' utils "${greeter_binaries[@]}"
source_package "$(folder_of main greeter)" greeter 1.0-1 '3.0 (quilt)' utils "${greeter_binaries[@]}"
source_package "$(folder_of main greeter)" greeter 1.0-1+u1 '3.0 (quilt)' utils "${greeter_binaries[@]}"
SOURCE_DATE_EPOCH=$time_v2 source_package "$(folder_of main greeter)" greeter 1.1-1 '3.0 (quilt)' utils "${greeter_binaries[@]}"
source_package "$(folder_of main libgreet)" libgreet 1:2.0~rc1+dfsg-1 1.0 libs libgreet1:any
source_package "$(folder_of contrib greeter-plugins)" greeter-plugins 1.0 '3.0 (native)' contrib/utils greeter-plugins:any

# --- indexes --------------------------------------------------------------------------------------------------------------------------

archive() {
  apt-ftparchive -q=2 -o APT::FTPArchive::SHA1=false -o APT::FTPArchive::SHA512=false "$@"
}
cd "$work/all"
archive packages pool > "$work/all.long"
archive -o APT::FTPArchive::LongDescription=false packages pool > "$work/all.short"
archive sources pool > "$work/all.sources" 2> /dev/null

# stanzas FILE FIELD [VALUE ...]   - those of a file whose field ends in one of the values
stanzas() {
  perl -00 -e '
    my ($file, $field, @values) = @ARGV;
    open my $in, "<:raw", $file or die; binmode STDOUT;
    my %found;
    while (<$in>) { s/\n+\z/\n/; /^$field: (.*)$/m or next; $found{$1} = $_ }
    for my $value (@values) {
      my @names = grep { m{(^|/)\Q$value\E$} } sort keys %found;
      die "no $field ends in $value\n" unless @names;
      print "$found{$_}\n" for @names;
    }' "$@"
}

# translation LANGUAGE FILE ...   - out of stanzas with long descriptions; German ones are those of the table below
translation() {
  local language=$1
  shift
  stanzas "$work/all.long" Filename "$@" > "$work/long"
  stanzas "$work/all.short" Filename "$@" > "$work/short"
  perl -00 -e '
    my ($language, $long, $short) = @ARGV;
    my %german = (
      "greeter" => "sagt Guten Tag\n Es sagt allen Guten Tag.\n .\n Dieser Absatz steht nach einer Zeile mit einem Punkt.\n",
      "greeter-data" => "Wörter, die greeter sagt\n Wörter in einer Sprache.\n");
    binmode STDOUT;
    my (%md5, %seen);
    open my $in, "<:raw", $short or die;
    while (<$in>) { my ($name) = /^Package: (.*)$/m; my ($version) = /^Version: (.*)$/m; /^Description-md5: (.*)$/m and $md5{"$name $version"} = $1 }
    open $in, "<:raw", $long or die;
    while (<$in>) {
      my ($name) = /^Package: (.*)$/m; my ($version) = /^Version: (.*)$/m; my $md5 = $md5{"$name $version"} or next;
      next if $seen{"$name $md5"}++;
      my ($text) = /^Description: (.*\n(?: .*\n)*)/m;
      $text = $german{$name} // next if $language eq "de";
      print "Package: $name\nDescription-md5: $md5\nDescription-$language: $text\n";
    }' "$language" "$work/long" "$work/short"
}

# compress FILE EXTENSION ...   - beside the plain file
compress() {
  local file=$1 extension
  shift
  for extension in "$@"; do
    case $extension in
      gz) gzip -9nc "$file" > "$file.gz" ;;
      xz) xz -c "$file" > "$file.xz" ;;
      zst) zstd -q -19 -c "$file" > "$file.zst" ;;
      bz2) bzip2 -c "$file" > "$file.bz2" ;;
    esac
  done
}

# component STATE SUITE COMPONENT FILE ...   - places the files in the pool of the state, and writes the indexes of one component.
# Set: components_folder, layout (all | separate), variants.
component() {
  local state=$1 suite=$2 component=$3 dists pool=$work/states/$1 architecture file found chosen
  shift 3
  dists=$pool/dists/$suite/${component##*/}
  for file in "$@"; do
    found=$(find "$work/all/pool" -name "$file" | head -1)
    mkdir -p "$pool/$(dirname "${found#"$work/all/"}")"
    cp "$found" "$pool/${found#"$work/all/"}"
  done
  for architecture in $architectures; do
    chosen=()
    for file in "$@"; do
      case $file in
        *_"$architecture".deb) chosen+=("$file") ;;
        *_all.deb) if [ "$layout" = all ] && [ "$architecture" != all ]; then chosen+=("$file"); fi ;;
      esac
    done
    mkdir -p "$dists/binary-$architecture"
    stanzas "$work/all.short" Filename "${chosen[@]}" > "$dists/binary-$architecture/Packages"
    printf 'Archive: %s\nOrigin: Chantal\nLabel: Chantal\nComponent: %s\nArchitecture: %s\n' "$suite" "$component" "$architecture" > "$dists/binary-$architecture/Release"
  done
}

# sources STATE SUITE COMPONENT DSC ...
sources() {
  local state=$1 suite=$2 component=$3 dists pool=$work/states/$1 stanza folder file
  shift 3
  dists=$pool/dists/$suite/${component##*/}/source
  mkdir -p "$dists"
  perl -00 -e '
    my ($file, @values) = @ARGV;
    open my $in, "<:raw", $file or die; binmode STDOUT;
    my @all = <$in>;
    for my $value (@values) {
      my @found = grep { /^ [0-9a-f]+ \d+ \Q$value\E$/m } @all or die "no source has $value\n";
      s/\n+\z/\n/, print "$_\n" for @found;
    }' "$work/all.sources" "$@" > "$dists/Sources"
  perl -00 -ne 'my ($folder) = /^Directory: (.*)$/m; my %seen; print "$folder/$_\n" for grep { !$seen{$_}++ } /^ [0-9a-f]{64} \d+ (.*)$/mg' "$dists/Sources" |
    while read -r file; do mkdir -p "$pool/$(dirname "$file")"; cp "$work/all/$file" "$pool/$file"; done
}

# release STATE SUITE   - Release, by-hash and signatures; header fields come on standard input, and keys=... in the environment
release() {
  local state=$1 suite=$2 time folder algorithm hash size name absent
  time=time_$state
  time=${!time}
  folder=$work/states/$state/dists/$suite
  {
    cat
    echo "Date: $(date -R -d "@$time" | sed 's/+0000/UTC/')"
    (cd "$folder" && apt-ftparchive -q=2 -o APT::FTPArchive::Release::Default-Patterns=false -o 'APT::FTPArchive::Release::Patterns::=*' \
      -o APT::FTPArchive::MD5="${further:-false}" -o APT::FTPArchive::SHA1=false -o APT::FTPArchive::SHA512="${further:-false}" release .) |
      # Of differences the index alone is listed.
      sed '/^Date:/d; /Packages\.diff\/T-/d'
  } > "$work/Release"
  # Listed, and not there.
  for absent in ${listed_only:-}; do find "$folder" -path "$folder/$absent" -delete; done
  mv "$work/Release" "$folder/Release"
  if [ "${by_hash:-yes}" = yes ]; then
    algorithm=
    while read -r hash size name; do
      case $hash in
        SHA256:) algorithm=${hash%:} ;;
        *)
          if [ -n "$algorithm" ] && [ -n "$name" ] && [ -e "$folder/$name" ]; then
            mkdir -p "$folder/$(dirname "$name")/by-hash/$algorithm"
            cp "$folder/$name" "$folder/$(dirname "$name")/by-hash/$algorithm/$hash"
          fi
          ;;
      esac
    done < "$folder/Release"
  fi
  # shellcheck disable=SC2086
  sign "$folder" "$time" $keys
}

# contents FOLDER SET-OF-FILES ...   - "Contents" of these packages
contents() {
  rm -rf "$work/contents"
  mkdir -p "$work/contents/pool"
  local file
  for file in "$@"; do cp "$(find "$work/all/pool" -name "$file" | head -1)" "$work/contents/pool/"; done
  (cd "$work/contents" && archive contents pool)
}

# only SUFFIX FILE ...
only() {
  local suffix=$1 file
  shift
  for file in "$@"; do case $file in *"$suffix") echo "$file" ;; esac; done
}

# pdiff FOLDER STAMP [OLD NEW]   - Packages.diff/Index of the plain index in FOLDER, with a patch from OLD to NEW
pdiff() {
  local folder=$1/Packages.diff stamp=$2 old=${3:-} new=${4:-}
  mkdir -p "$folder"
  hash_of() { sha256sum < "$1" | cut -d' ' -f1; }
  {
    echo "SHA256-Current: $(hash_of "$1/Packages") $(stat -c %s "$1/Packages")"
    if [ -n "$old" ]; then
      diff --ed "$old" "$new" > "$work/patch" || true
      gzip -9nc "$work/patch" > "$folder/$stamp.gz"
      printf 'SHA256-History:\n %s %s %s\n' "$(hash_of "$old")" "$(stat -c %s "$old")" "$stamp"
      printf 'SHA256-Patches:\n %s %s %s\n' "$(hash_of "$work/patch")" "$(stat -c %s "$work/patch")" "$stamp"
      printf 'SHA256-Download:\n %s %s %s.gz\n' "$(hash_of "$folder/$stamp.gz")" "$(stat -c %s "$folder/$stamp.gz")" "$stamp"
    fi
  } > "$folder/Index"
}

# extras STATE   - what stable has beside packages
extras() {
  local state=$1 main=$work/states/$1/dists/stable/main
  mkdir -p "$main/cnf" "$main/dep11" "$main/installer-amd64/current/images/netboot"
  printf 'suite: stable\ncomponent: main\narch: amd64\n\nname: greeter\nversion: %s\ncommands: greeter\n' "$2" > "$main/cnf/Commands-amd64"
  compress "$main/cnf/Commands-amd64" xz
  cat > "$main/dep11/Components-amd64.yml" <<YAML
---
File: DEP-11
Version: '1.0'
Origin: chantal-stable-main
---
Type: console-application
ID: example.chantal.greeter
Package: greeter
Name:
  C: Greeter
  de: Grüßer
Summary:
  C: Says hello
Icon:
  cached:
  - name: greeter_greeter.png
    width: 48
    height: 48
---
Type: console-application
ID: example.chantal.libgreet
Package: libgreet1
Name:
  C: Library
YAML
  compress "$main/dep11/Components-amd64.yml" gz xz
  printf 'not really a picture of %s\n' "$state" > "$work/greeter_greeter.png"
  tar --owner=0 --group=0 --numeric-owner --mtime="@$time_v1" -C "$work" -cf "$main/dep11/icons-48x48.tar" greeter_greeter.png
  compress "$main/dep11/icons-48x48.tar" gz
  printf 'a kernel of %s\n' "$state" > "$main/installer-amd64/current/images/netboot/linux"
  printf 'a disk of %s\n' "$state" > "$main/installer-amd64/current/images/netboot/initrd.gz"
  printf 'netboot/linux -- kernel\nnetboot/initrd.gz -- initrd\n' > "$main/installer-amd64/current/images/MANIFEST"
  (cd "$main/installer-amd64/current/images" && sha256sum ./MANIFEST ./netboot/* > SHA256SUMS)
}

# stable STATE GREETER-VERSION ... -- FURTHER-FILE ...
stable() {
  local state=$1 versions=() files=() contrib=(greeter-plugins_1.0_amd64.deb) version name dists=$work/states/$1/dists/stable
  shift
  while [ "$1" != -- ]; do versions+=("$1"); shift; done
  shift
  for version in "${versions[@]}"; do files+=("greeter_${version}_amd64.deb" "greeter_${version}_i386.deb" "greeter-data_${version}_all.deb"); done
  for name in libgreet1_2.0~rc1+dfsg-1 demo-libc_1.0 demo-base_1.0 apt_1.0; do files+=("${name}_amd64.deb" "${name}_i386.deb"); done
  files+=("$@")
  architectures='amd64 i386 all' layout=all component "$state" stable main "${files[@]}"
  architectures='amd64 i386 all' layout=all component "$state" stable contrib "${contrib[@]}"
  versions=("${versions[@]/#/greeter_}")
  sources "$state" stable main "${versions[@]/%/.dsc}" libgreet_2.0~rc1+dfsg-1.dsc
  sources "$state" stable contrib greeter-plugins_1.0.dsc
  mkdir -p "$dists/main/debian-installer/binary-amd64" "$dists"/{main,contrib}/i18n
  stanzas "$work/all.long" Filename greeter-udeb_1.0-1_amd64.udeb > "$dists/main/debian-installer/binary-amd64/Packages"
  mkdir -p "$work/states/$state/$(folder_of main greeter)"
  cp "$work/all/$(folder_of main greeter)/greeter-udeb_1.0-1_amd64.udeb" "$work/states/$state/$(folder_of main greeter)/"
  for name in en de; do translation $name "${files[@]}" > "$dists/main/i18n/Translation-$name"; done
  translation en "${contrib[@]}" > "$dists/contrib/i18n/Translation-en"
  # shellcheck disable=SC2046
  for name in amd64 i386 all; do contents $(only "_$name.deb" "${files[@]}") > "$dists/main/Contents-$name"; done
  contents "${contrib[@]}" > "$dists/contrib/Contents-amd64"
  extras "$state" "${versions[-1]#greeter_}"
  if [ "$state" = v1 ]; then
    pdiff "$dists/main/binary-amd64" none
  else
    pdiff "$dists/main/binary-amd64" T-2026-02-02-0000.00-F-2026-01-05-0000.00 "$work/Packages-v1" "$dists/main/binary-amd64/Packages"
  fi
  cp "$dists/main/binary-amd64/Packages" "$work/Packages-$state"
  for name in "$dists"/*/binary-*/Packages "$dists"/*/source/Sources "$dists"/main/debian-installer/*/Packages; do compress "$name" gz xz; done
  compress "$dists/main/binary-amd64/Packages" zst
  for name in "$dists"/*/i18n/Translation-*; do compress "$name" xz bz2; done
  for name in "$dists"/*/Contents-*; do compress "$name" gz; done
  listed_only='*/binary-*/Packages */source/Sources */i18n/Translation-?? */Contents-amd64 */Contents-i386 */Contents-all */Commands-amd64 */Components-amd64.yml */icons-48x48.tar'
  listed_only=$listed_only keys='archive next' release "$state" stable <<FIELDS
Origin: Chantal
Label: Chantal
Suite: stable
Version: 1.${state#v}
Codename: chantal
Changelogs: https://changelogs.chantal.example/@CHANGEPATH@
Snapshots: https://snapshot.chantal.example/@SNAPSHOTID@/
Acquire-By-Hash: yes
No-Support-for-Architecture-all: Packages
Architectures: all amd64 i386
Components: main contrib
Description: A suite for tests
FIELDS
  if [ "$state" = v2 ]; then
    (cd "$work/states/v1/dists/stable" && find . -path '*/by-hash/*' -type f -exec cp --parents -t "$dists" {} +)
  fi
}

# updates STATE PERCENTAGE
updates() {
  local state=$1 dists=$work/states/$1/dists/stable-updates time
  architectures='amd64 i386 all' layout=separate component "$state" stable-updates main greeter_1.0-1+u1_{amd64,i386}.deb greeter-data_1.0-1+u1_all.deb
  sources "$state" stable-updates main greeter_1.0-1+u1.dsc
  sed -i "/^Description-md5:/a Phased-Update-Percentage: $2" "$dists"/main/binary-*/Packages
  for file in "$dists"/main/binary-*/Packages "$dists/main/source/Sources"; do compress "$file" xz; done
  time=time_$state
  listed_only='*/Packages */Sources' by_hash=no further=true keys=archive release "$state" stable-updates <<FIELDS
Origin: Chantal
Label: Chantal
Suite: stable-updates
Codename: chantal-updates
NotAutomatic: yes
ButAutomaticUpgrades: yes
Valid-Until: $(date -R -d "@$((${!time} + 7 * 24 * 3600))" | sed 's/+0000/UTC/')
Architectures: all amd64 i386
Components: main
Description: Updates for tests
FIELDS
}

# old STATE
old() {
  local dists=$work/states/$1/dists/old/updates
  architectures=amd64 layout=all component "$1" old/updates updates/main old-fix_1.0_amd64.deb
  compress "$dists/main/binary-amd64/Packages" gz
  listed_only='*/Packages' by_hash=no further=true keys=archive release "$1" old/updates <<FIELDS
Origin: Chantal
Label: Chantal-Security
Suite: oldstable
Codename: old
Architectures: amd64
Components: updates/main
FIELDS
}

# flat STATE
flat() {
  local state=$1 folder=$work/states/$1/flat time
  time=time_$state
  mkdir -p "$folder"
  cp "$work/all/flat-$state"/* "$folder/"
  (cd "$folder" && archive packages . > Packages)
  compress "$folder/Packages" gz
  echo 'Release of another day' > "$folder/Release"
  (cd "$folder" && printf 'Origin: Chantal flat\nLabel: flat\nArchitectures: all amd64\n' &&
    archive -o APT::FTPArchive::Release::Default-Patterns=false -o 'APT::FTPArchive::Release::Patterns::=Packages*' \
      -o 'APT::FTPArchive::Release::Patterns::=Release' release . |
    sed "s/^Date:.*/Date: $(date -R -d "@${!time}" | sed 's/+0000/UTC/')/") > "$work/Release"
  mv "$work/Release" "$folder/Release"
  sign "$folder" "${!time}" archive
}

for state in v1 v2; do
  case $state in
    v1) stable v1 0.9-1 1.0-1 -- ;;
    v2) stable v2 1.0-1 1.1-1 -- greeter-extra_1.0_amd64.deb ;;
  esac
  updates $state "$([ $state = v1 ] && echo 10 || echo 50)"
  old $state
  flat $state
done
for state in v1 v2; do
  time=time_$state
  find "$work/states/$state" -exec touch -d "@${!time}" {} +
  rm -rf "${output:?}/$state"
  mv "$work/states/$state" "$output/$state"
done
find "$output" -type f -printf '%s\n' | awk '{ bytes += $1 } END { print NR " files, " bytes " bytes" }'
