#!/bin/bash
# make-demo-upstream.sh [FOLDER]   (default: assets/demo)
#
# Builds the upstream that the quick start mirrors: a small signed RPM repository in two states, FOLDER/v1 and FOLDER/v2.
# v2 updates demo-server with a security advisory, adds demo-extra and drops demo-legacy.
# Needs the Debian packages rpm, createrepo-c, gnupg. The signing key is made anew and thrown away, so each run gives other
# signatures; everything else comes out the same.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
output=${1:-$here/assets/demo}
work=$(mktemp -d "${TMPDIR:-/tmp}/demo-upstream.XXXXXX")
cleanup() {
  GNUPGHOME=$work/gnupg gpgconf --kill all || true
  rm -rf "$work"
}
trap cleanup EXIT

for tool in rpmbuild rpmsign createrepo_c modifyrepo_c gpg; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is missing (Debian: apt-get install rpm createrepo-c gnupg)" >&2; exit 1; }
done

# Fixed times: of the first state, and of the second, four weeks later.
time_v1=1767571200 # 2026-01-05
time_v2=1769990400 # 2026-02-02
export TZ=UTC LC_ALL=C SOURCE_DATE_EPOCH=$time_v1
export HOME=$work GNUPGHOME=$work/gnupg
umask 022

mkdir -m 700 "$GNUPGHOME"
mkdir "$work/specs" "$work/rpms"

# A clock that is set back keeps the files valid for machines whose own clock is behind.
echo 'faked-system-time 20260105T000000' > "$GNUPGHOME/gpg.conf"
gpg --batch --quiet --passphrase '' --quick-generate-key 'Chantal demo upstream <demo@chantal.example>' rsa3072 sign never

# package NAME VERSION [requirement ...]   - the summary and the file list come on standard input, "/path content" a line
package() {
  local name=$1 version=$2 summary spec path content
  shift 2
  spec=$work/specs/$name-$version.spec
  read -r summary
  {
    cat <<SPEC
Name: $name
Version: $version
Release: ${release:-1}
Summary: $summary
License: MIT
URL: https://chantal.example/$name
Group: Applications/System
BuildArch: noarch
AutoReqProv: no
SPEC
    if [ -n "${modularity:-}" ]; then echo "ModularityLabel: $modularity"; fi
    for requirement in "$@"; do echo "Requires: $requirement"; done
    printf '\n%%description\n%s. Part of a demonstration: it installs a few lines of text and does nothing.\n' "$summary"
    printf '\n%%install\n'
    local files=
    while read -r path content; do
      printf 'mkdir -p "%%{buildroot}%s"\n' "$(dirname "$path")"
      printf "printf '%%%%s\\\\n' '%s' > '%%{buildroot}%s'\n" "$content" "$path"
      case $path in
        /usr/bin/*) files+="%attr(0755,root,root) $path"$'\n' ;;
        /etc/*) files+="%config(noreplace) %attr(0644,root,root) $path"$'\n' ;;
        *) files+="%attr(0644,root,root) $path"$'\n' ;;
      esac
    done
    printf '\n%%files\n%s' "$files"
    printf '\n%%changelog\n'
    if [ "$version" = 1.1 ]; then
      printf '* Mon Feb 02 2026 Demo Maintainer <demo@chantal.example> - 1.1-1\n- Check the length of names (CVE-2026-99902)\n\n'
    fi
    printf '* Mon Jan 05 2026 Demo Maintainer <demo@chantal.example> - 1.0-1\n- First build\n'
  } > "$spec"
  rpmbuild --quiet -bb "$spec" \
    --define "_topdir $work/build" --define "_rpmdir $work/rpms" --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
    --define '_buildhost demo.chantal.example' --define 'use_source_date_epoch_as_buildtime 1' \
    --define 'clamp_mtime_to_source_date_epoch 1' --define '_binary_payload w9.gzdio' \
    --define '_binary_filedigest_algorithm 8' --define 'vendor Chantal demo' --define '__os_install_post %{nil}'
}

package demo-common 1.0 <<'FILES'
Files that the other demonstration packages share
/usr/share/demo/motd Hello from the demonstration repository.
/etc/demo/demo.conf greeting = hello
FILES
package demo-hello 1.0 'demo-common >= 1.0' <<'FILES'
Says hello
/usr/bin/demo-hello #!/bin/cat
/usr/share/doc/demo-hello/README Run demo-hello.
FILES
package demo-server 1.0 'demo-common = 1.0' 'demo-hello >= 1.0' <<'FILES'
Serves greetings
/usr/bin/demo-server #!/bin/cat
/etc/demo/server.conf listen = 127.0.0.1:7
FILES
package demo-client 1.0 'demo-common >= 1.0' <<'FILES'
Asks a demo-server for greetings
/usr/bin/demo-client #!/bin/cat
/etc/demo/client.conf server = 127.0.0.1:7
FILES
package demo-legacy 1.0 demo-client <<'FILES'
Speaks to servers from before the demonstration
/usr/bin/demo-legacy #!/bin/cat
FILES
release=1.module_demo modularity=demo-engine:2:1:d3m0 package demo-engine 2.0 <<'FILES'
The engine, as a module stream
/usr/share/demo/engine Stream two.
FILES
SOURCE_DATE_EPOCH=$time_v2
package demo-server 1.1 'demo-common = 1.0' 'demo-hello >= 1.0' <<'FILES'
Serves greetings
/usr/bin/demo-server #!/bin/cat
/etc/demo/server.conf listen = 127.0.0.1:7
FILES
package demo-extra 1.0 'demo-server >= 1.1' <<'FILES'
Greetings in more languages
/usr/share/demo/languages/de Guten Tag
/usr/share/demo/languages/fr Bonjour
FILES

rpmsign --addsign --define '_gpg_name demo@chantal.example' --define "_gpg_path $GNUPGHOME" \
  --define '_gpg_digest_algo sha256' --define "__gpg $(command -v gpg)" "$work"/rpms/*.rpm > /dev/null

cat > "$work/comps.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>demo-tools</id>
    <name>Demonstration tools</name>
    <name xml:lang="de">Vorführung</name>
    <description>Everything the quick start installs.</description>
    <default>true</default>
    <uservisible>true</uservisible>
    <packagelist>
      <packagereq type="mandatory">demo-hello</packagereq>
      <packagereq type="default">demo-server</packagereq>
      <packagereq type="optional">demo-client</packagereq>
    </packagelist>
  </group>
  <environment>
    <id>demo-environment</id>
    <name>Demonstration host</name>
    <description>A host to try things on.</description>
    <display_order>1</display_order>
    <grouplist>
      <groupid>demo-tools</groupid>
    </grouplist>
  </environment>
</comps>
XML

cat > "$work/modules.yaml" <<'YAML'
---
document: modulemd
version: 2
data:
  name: demo-engine
  stream: "2"
  version: 1
  context: d3m0
  arch: noarch
  summary: The engine of the demonstration
  description: >-
    A module with one stream, which is the default.
  license:
    module: [MIT]
    content: [MIT]
  profiles:
    default:
      rpms: [demo-engine]
  api:
    rpms: [demo-engine]
  artifacts:
    rpms:
      - demo-engine-0:2.0-1.module_demo.noarch
...
---
document: modulemd-defaults
version: 1
data:
  module: demo-engine
  stream: "2"
  profiles:
    "2": [default]
...
YAML

# advisory ID CVE SEVERITY DATE NAME VERSION TITLE
advisory() {
  cat <<XML
  <update from="demo@chantal.example" status="final" type="security" version="1">
    <id>$1</id>
    <title>$7</title>
    <issued date="$4 00:00:00"/>
    <updated date="$4 00:00:00"/>
    <rights>MIT</rights>
    <release>Demonstration</release>
    <severity>$3</severity>
    <summary>$7</summary>
    <description>A made-up weakness, for the demonstration.</description>
    <references>
      <reference href="https://chantal.example/$2" id="$2" type="cve" title="$2"/>
    </references>
    <pkglist>
      <collection short="demo">
        <name>Demonstration</name>
        <package name="$5" version="$6" release="1" epoch="0" arch="noarch">
          <filename>$5-$6-1.noarch.rpm</filename>
        </package>
      </collection>
    </pkglist>
  </update>
XML
}

# repository STATE TIME PACKAGE-FILE ...   - updateinfo's entries come on standard input
repository() {
  local state=$1 time=$2 target=$work/$1 file
  shift 2
  mkdir -p "$target/Packages"
  for file in "$@"; do cp "$work/rpms/$file" "$target/Packages/"; done
  { echo '<?xml version="1.0" encoding="UTF-8"?>'; echo '<updates>'; cat; echo '</updates>'; } > "$work/updateinfo.xml"
  find "$target" "$work"/*.xml "$work"/*.yaml -exec touch -d "@$time" {} +
  createrepo_c --quiet --no-database --general-compress-type=gz --checksum sha256 --revision "$time" --set-timestamp-to-revision \
    --groupfile "$work/comps.xml" "$target"
  modifyrepo_c --mdtype=updateinfo --compress-type=gz "$work/updateinfo.xml" "$target/repodata" > /dev/null
  modifyrepo_c --mdtype=modules --compress-type=gz "$work/modules.yaml" "$target/repodata" > /dev/null
  sed -i "s,<timestamp>[0-9]*</timestamp>,<timestamp>$time</timestamp>," "$target/repodata/repomd.xml"
  echo "faked-system-time $(date -d "@$time" +%Y%m%dT%H%M%S)" > "$GNUPGHOME/gpg.conf"
  gpg --batch --quiet --local-user demo@chantal.example --digest-algo SHA256 --armor --detach-sign "$target/repodata/repomd.xml"
  rm -rf "${output:?}/$state"
  mv "$target" "$output/$state"
}

mkdir -p "$output"
first=$(advisory DEMO-2026:0001 CVE-2026-99901 Moderate 2026-01-05 demo-hello 1.0 'demo-hello security update')
second=$(advisory DEMO-2026:0002 CVE-2026-99902 Important 2026-02-02 demo-server 1.1 'demo-server security update')
common=(demo-common-1.0-1.noarch.rpm demo-hello-1.0-1.noarch.rpm demo-client-1.0-1.noarch.rpm demo-engine-2.0-1.module_demo.noarch.rpm)

repository v1 $time_v1 "${common[@]}" demo-server-1.0-1.noarch.rpm demo-legacy-1.0-1.noarch.rpm <<< "$first"
repository v2 $time_v2 "${common[@]}" demo-server-1.1-1.noarch.rpm demo-extra-1.0-1.noarch.rpm <<< "$first
$second"
gpg --armor --export demo@chantal.example > "$output/RPM-GPG-KEY-demo"

du -sh "$output"
