import type { DocumentNode, MappingNode, Place } from './document.ts'
import { at } from './mistakes.ts'

/**
 * The configuration of the Python Chantal, its spelling for spelling: where a key stood, where it stands today, and what becomes
 * of its value. Applied in this order, each to every mapping of its scope.
 */
interface Rule {
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

const rules: readonly Rule[] = [
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
  ...[
    'include_contents',
    'include_translations',
    'by_hash',
    'origin',
    'label',
    'suite',
    'codename',
    'not_automatic',
    'but_automatic_upgrades',
    'valid_until_days',
  ].map((key) =>
    drop('repository', `apt.${key}`, 'is decided by what upstream offers', { unlessKnown: true }),
  ),
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

/**
 * Rewrites the spellings of the Python Chantal in place, before anything is checked.
 * @param isKnown whether today's schema of a repository has a key at this path
 * @returns a notice for each, naming today's key
 */
export function translatePythonChantal(
  root: DocumentNode,
  isKnown: (path: readonly string[]) => boolean,
): readonly string[] {
  if (root.kind !== 'mapping') return []
  const notices: string[] = []
  const repositories = mappingsUnder(root, 'repositories')
  const views = mappingsUnder(root, 'views')
  for (const rule of rules) {
    const scopes = {
      document: [root],
      repository: repositories,
      shared: [root, ...repositories],
      view: views,
    }
    for (const mapping of scopes[rule.scope]) apply(rule, mapping, isKnown, notices)
  }
  return notices
}

function apply(
  rule: Rule,
  mapping: MappingNode,
  isKnown: (path: readonly string[]) => boolean,
  notices: string[],
): void {
  const path = rule.from.split('.')
  const key = path.pop() ?? ''
  const holder = descend(mapping, path)
  const entry = holder?.entries.get(key)
  if (!holder || !entry) return
  if (rule.when && !rule.when(entry.node)) return
  if (rule.ofType && !(valueUnder(mapping, 'type') === rule.ofType && isKnown(rule.to?.split('.') ?? [])))
    return
  if (rule.unlessKnown && isKnown([...path, key])) return
  if (!rule.keeps) holder.entries.delete(key)
  if (holder.entries.size === 0 && path.length > 0) removeEmpty(mapping, path)
  const say = (text: string) => notices.push(`${at(entry.keyPlace)}: ${text}`)
  if (rule.to === null) {
    say(`"${rule.from}" is not used: ${rule.notice}`)
    return
  }
  const kept = put(mapping, rule.to.split('.'), rule.value?.(entry.node) ?? entry.node, entry.keyPlace)
  say(
    kept
      ? (rule.notice ?? `"${rule.from}" is now "${rule.to}"`)
      : `"${rule.from}" is not used: "${rule.to}" is given`,
  )
}

/** A section of which nothing is left was the old one. */
function removeEmpty(mapping: MappingNode, path: readonly string[]): void {
  const above = descend(mapping, path.slice(0, -1))
  above?.entries.delete(path.at(-1) ?? '')
}

/** Two lists become one; any other value that is there stays, and the answer is `false`. */
function put(mapping: MappingNode, path: readonly string[], node: DocumentNode, place: Place): boolean {
  const [step = '', ...rest] = path
  const there = mapping.entries.get(step)
  if (rest.length > 0) {
    if (there && there.node.kind !== 'mapping') return false
    const below: MappingNode =
      there?.node.kind === 'mapping' ? there.node : { kind: 'mapping', place, entries: new Map() }
    if (!there) mapping.entries.set(step, { keyPlace: place, node: below })
    return put(below, rest, node, place)
  }
  if (!there) {
    mapping.entries.set(step, { keyPlace: place, node })
    return true
  }
  if (there.node.kind !== 'sequence' || node.kind !== 'sequence') return false
  there.node.items.push(...node.items)
  return true
}

function descend(mapping: MappingNode, path: readonly string[]): MappingNode | null {
  let current: MappingNode = mapping
  for (const step of path) {
    const next = current.entries.get(step)?.node
    if (next?.kind !== 'mapping') return null
    current = next
  }
  return current
}

function mappingsUnder(root: MappingNode, key: string): readonly MappingNode[] {
  const list = root.entries.get(key)?.node
  return list?.kind === 'sequence'
    ? list.items.map(({ node }) => node).filter((node) => node.kind === 'mapping')
    : []
}

function valueUnder(node: DocumentNode, key: string): unknown {
  const child = node.kind === 'mapping' ? node.entries.get(key)?.node : undefined
  return child?.kind === 'scalar' ? child.value : undefined
}
