/** A configuration to start from: it loads as it is, and says in comments what comes next. @param keyFile beside it */
export function configurationText({
  basePath,
  keyFile,
}: {
  readonly basePath: string
  readonly keyFile: string
}): string {
  return `# Made by \`chantal init\`. \`chantal config check\` says whether it is right, \`chantal config show --resolved\` prints every
# key with its default, and \`chantal config schema\` describes them for editors.

storage:
  # Holds the catalog, the pool with every file once, and the published trees: hard links into the pool, so keep
  # them on one file system.
  base_path: ${JSON.stringify(basePath)}

# Signs the metadata that is generated: of filtered and hosted repositories, and of views. Mirrors keep upstream's
# signatures. Keep a copy of the key in a safe place; clients get the public one, which stands beside it and as
# key.asc in every tree that it signs.
signing:
  key_file: ${keyFile}

# More files with repositories, views or any section:
#include: conf.d/*.yaml

# One entry for each repository. Take the hashes away from one to begin.
repositories:
#  - id: epel9
#    name: EPEL 9
#    type: rpm
#    feed: https://mirror.example.org/epel/9/Everything/x86_64/
#    verify: { keys: [/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9] }
#    # Only some packages, under our signature:
#    # filters: { patterns: { include: ["^nginx"] }, post_processing: { only_latest_version: true } }
#    # Which snapshots \`chantal snapshot prune\` keeps:
#    # retention: { keep_last: 5, keep_weekly: 8, keep_monthly: 12 }
#
#  - id: bookworm
#    type: apt
#    feed: https://mirror.example.org/debian/
#    verify: { keys: [/usr/share/keyrings/debian-archive-keyring.gpg] }
#    apt: { suites: [bookworm], components: [main], architectures: [amd64] }
#
#  # Packages of your own: \`chantal package upload FILE... --repo tools\`
#  - id: tools
#    type: rpm
#    mode: hosted

# Several repositories of one type, published as one:
#views:
#  - name: el9
#    repos: [epel9, tools]
`
}
