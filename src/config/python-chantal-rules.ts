import type { DocumentNode } from './document.ts'

/**
 * The configuration of the Python Chantal, its spelling for spelling: where a key stood, where it stands today, and what becomes
 * of its value. Applied in this order, each to every mapping of its scope.
 */
export interface Rule {
  /** `shared`: the document and each repository. */
  readonly scope: 'document' | 'repository' | 'shared' | 'view'
  readonly from: string
  /** `null`: dropped, and `notice` says why. */
  readonly to: string | null
  readonly notice?: string
  /** Whether this value is the old spelling. */
  readonly when?: (node: DocumentNode) => boolean
  /** Today's value; the old one where absent. */
  readonly value?: (node: DocumentNode) => DocumentNode
  /** Leaves the key where today's schema knows it. */
  readonly unlessKnown?: boolean
  /** For repositories of this type, where today's schema knows `to`. */
  readonly ofType?: string
  /** For repositories whose metadata is generated. */
  readonly whereGenerated?: boolean
  /** Leaves the old key for the rules that follow: one word of old says several things of today. */
  readonly keeps?: boolean
}

const is = (expected: string | boolean) => (node: DocumentNode) =>
  node.kind === 'scalar' && node.value === expected
const oneOf =
  (...expected: readonly string[]) =>
  (node: DocumentNode) =>
    expected.some((value) => is(value)(node))
const become =
  (value: string | boolean) =>
  (node: DocumentNode): DocumentNode => ({ kind: 'scalar', place: node.place, value })
const listOf = (node: DocumentNode): DocumentNode => ({
  kind: 'sequence',
  place: node.place,
  items: [{ index: 0, node }],
})
const has =
  (...keys: readonly string[]) =>
  (node: DocumentNode) =>
    node.kind === 'mapping' && keys.some((key) => node.entries.has(key))
const isNull = (node: DocumentNode) => node.kind === 'scalar' && node.value === null
const isNumber = (node: DocumentNode) => node.kind === 'scalar' && /^\d+$/.test(String(node.value))
const seconds = (node: DocumentNode): DocumentNode =>
  node.kind === 'scalar' ? { ...node, value: `${node.value}s` } : node
const drop = (scope: Rule['scope'], from: string, notice: string, more: Partial<Rule> = {}): Rule => ({
  scope,
  from,
  to: null,
  notice,
  ...more,
})

/** `false` for the whole file, and for repositories whose packages carry signatures. */
function offForPackages(from: string, more: Partial<Rule> = {}): readonly Rule[] {
  const rule = { from, to: 'verify.packages', when: is(false), value: become('off'), ...more }
  return [
    { ...rule, scope: 'document' },
    { ...rule, scope: 'repository', ofType: 'rpm' },
  ]
}

/** What a Release file of ours says. Where nothing was given, `null` meant that upstream's is taken. */
function ofRelease(from: string, to: string): readonly Rule[] {
  return [
    {
      scope: 'repository',
      from: `apt.${from}`,
      to: `apt.release.${to}`,
      when: (node) => !isNull(node),
      ofType: 'apt',
      whereGenerated: true,
    },
    drop('repository', `apt.${from}`, 'what upstream says is taken', { when: isNull }),
    drop('repository', `apt.${from}`, 'a mirror has the Release files of upstream', { unlessKnown: true }),
  ]
}

export const rules: readonly Rule[] = [
  {
    scope: 'repository',
    from: 'gpg',
    to: 'signing',
    when: (node) => valueUnder(node, 'enabled') === false,
    value: become(false),
  },
  drop('document', 'gpg', 'signing is off without a "signing" section', {
    when: (node) => valueUnder(node, 'enabled') === false,
  }),
  drop(
    'shared',
    'gpg',
    'keyrings are not read; nothing is signed until "signing.key_file" names an exported key',
    {
      when: (node) => node.kind === 'mapping' && !node.entries.has('key_file'),
    },
  ),
  drop('shared', 'gpg.enabled', 'a "signing" section signs'),
  { scope: 'shared', from: 'gpg.key_file', to: 'signing.key_file' },
  { scope: 'shared', from: 'gpg.passphrase', to: 'signing.passphrase' },
  { scope: 'shared', from: 'gpg.passphrase_file', to: 'signing.passphrase_file' },
  drop(
    'shared',
    'gpg.key_id',
    'keyrings are not read; export the key and name the file in "signing.key_file"',
  ),
  drop('shared', 'gpg.gnupg_home', 'keyrings are not read'),
  drop('shared', 'gpg.public_key_file', 'the public key is taken from "signing.key_file"'),
  drop('shared', 'gpg.public_key_name', 'a tree carries its public key as key.asc'),
  drop('shared', 'gpg.generate_key', 'no key is made while publishing; name one in "signing.key_file"'),
  drop('shared', 'gpg.key_name', 'no key is made while publishing'),
  drop('shared', 'gpg.key_email', 'no key is made while publishing'),

  ...offForPackages('verify.enabled', { keeps: true }),
  { scope: 'shared', from: 'verify.enabled', to: 'verify.metadata', when: is(false), value: become('off') },
  drop('shared', 'verify.enabled', 'signatures are required as soon as "verify.keys" is given'),
  {
    scope: 'shared',
    from: 'verify.repo_gpgcheck',
    to: 'verify.metadata',
    when: is(false),
    value: become('off'),
  },
  drop('shared', 'verify.repo_gpgcheck', 'signatures are required as soon as "verify.keys" is given'),
  ...offForPackages('verify.gpgcheck'),
  drop('shared', 'verify.gpgcheck', 'packages must be signed as soon as "verify.keys" is given'),
  { scope: 'shared', from: 'verify.key_files', to: 'verify.keys' },
  { scope: 'shared', from: 'verify.trusted_fingerprints', to: 'verify.fingerprints' },
  drop('shared', 'verify.client_key_name', 'the keys of upstream are not published'),
  drop('shared', 'verify.gnupg_home', 'keyrings are not read'),
  drop(
    'shared',
    'verify.on_missing_signature',
    'a missing signature always fails; "verify.metadata: off" asks for none',
  ),
  drop('shared', 'verify.on_invalid_signature', 'an invalid signature always fails'),

  { scope: 'shared', from: 'ssl.ca_cert', to: 'ssl.ca_bundle' },

  { scope: 'document', from: 'download.parallel', to: 'download.concurrency' },
  { scope: 'repository', from: 'download.parallel', to: 'download.per_host' },
  { scope: 'shared', from: 'download.retry_attempts', to: 'download.retries' },
  {
    scope: 'shared',
    from: 'download.timeout',
    to: 'download.timeout',
    when: isNumber,
    value: seconds,
    notice: '"download.timeout" takes a unit',
  },
  drop('shared', 'download.backend', 'there is one downloader'),
  drop('shared', 'download.verify_checksum', 'checksums are always verified'),
  drop('document', 'database.pool_size', 'the number of connections is not configured'),
  drop('document', 'database.max_overflow', 'the number of connections is not configured'),
  drop('document', 'database.echo', 'statements are not logged'),
  drop('document', 'storage.temp_path', 'temporary files lie in the pool'),
  drop('document', 'storage.cache_path', 'metadata lies in the pool'),
  drop('document', 'cache', 'metadata lies in the pool and is asked for conditionally'),
  drop('document', 'scheduler', 'run "chantal repo sync" from cron or a timer'),

  {
    scope: 'repository',
    from: 'auth.type',
    to: 'auth.type',
    when: is('custom'),
    value: become('headers'),
    notice: '"auth.type: custom" is now "auth.type: headers"',
  },
  { scope: 'repository', from: 'auth.cert_file', to: 'auth.cert' },
  { scope: 'repository', from: 'auth.key_file', to: 'auth.key' },
  { scope: 'repository', from: 'auth.verify_ssl', to: 'ssl.verify' },
  { scope: 'repository', from: 'auth.ca_bundle', to: 'ssl.ca_bundle' },

  { scope: 'repository', from: 'apt.distribution', to: 'apt.suites', value: listOf },
  { scope: 'repository', from: 'apt.include_source_packages', to: 'apt.sources', unlessKnown: true },
  ...['include_contents', 'include_translations', 'by_hash'].map((key) =>
    drop('repository', `apt.${key}`, 'is decided by what upstream offers', { unlessKnown: true }),
  ),
  ...['origin', 'label', 'suite', 'codename', 'not_automatic', 'but_automatic_upgrades'].flatMap((key) =>
    ofRelease(key, key),
  ),
  ...ofRelease('valid_until_days', 'valid_days'),
  drop('repository', 'feed', 'a hosted repository has no feed', { when: is('') }),
  drop('repository', 'retention', 'policies are replaced by "filters.post_processing" and snapshots', {
    when: has('policy', 'keep_count'),
  }),
  drop('repository', 'schedule', 'run "chantal repo sync" from cron or a timer'),
  drop('repository', 'latest_path', 'paths follow from the id'),
  drop('repository', 'snapshots_path', 'paths follow from the id'),
  drop('repository', 'cache_enabled', 'metadata lies in the pool and is asked for conditionally'),
  {
    scope: 'repository',
    from: 'metadata.compression',
    to: 'rpm.compression',
    when: oneOf('gzip', 'zstandard'),
    value: (node) => (is('zstandard')(node) ? become('zstd')(node) : node),
    ofType: 'rpm',
  },
  drop('repository', 'metadata', 'generated metadata is compressed for every client'),
  { scope: 'repository', from: 'filters.include_packages', to: 'filters.patterns.include' },
  { scope: 'repository', from: 'filters.exclude_packages', to: 'filters.patterns.exclude' },
  {
    scope: 'repository',
    from: 'filters.include_architectures',
    to: 'filters.metadata.architectures.include',
  },
  {
    scope: 'repository',
    from: 'filters.exclude_architectures',
    to: 'filters.metadata.architectures.exclude',
  },
  drop('repository', 'filters.deb.components', 'components are no filter; list them in "apt.components"', {
    unlessKnown: true,
  }),
  drop('view', 'publish_path', 'paths follow from the name'),
]

/** The scalar under a key of a mapping. */
export function valueUnder(node: DocumentNode, key: string): unknown {
  const child = node.kind === 'mapping' ? node.entries.get(key)?.node : undefined
  return child?.kind === 'scalar' ? child.value : undefined
}
