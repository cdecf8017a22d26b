import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentedKeys } from '../scripts/docs/configuration.ts'
import { loadConfiguration } from '../src/config/load.ts'
import type { Settings } from '../src/config/settings.ts'
import { configurationJsonSchema } from '../src/config/show.ts'
import { isChantalError } from '../src/core/errors.ts'
import { ecosystems } from '../src/ecosystems/registry.ts'
import { aptKeys } from './support/apt-configuration.ts'
import { createCertificates, whyNoCertificates } from './upstream/certificates.ts'

/** A value of a key, another one that has to make a difference, and what else the document must hold for either. */
interface Case {
  readonly from?: unknown
  readonly to: unknown
  readonly beside?: Section
}

type Section = { readonly [key: string]: unknown }

const repository = (section: Section): Section => ({ repositories: [{ id: 'one', type: 'rpm', ...section }] })
const feed = { feed: 'https://example.org/' }
const proxy = { http_proxy: 'http://proxy.example.org:3128' }
const keys = ['key.asc']
const signing = { key_file: 'private.asc' }
const auth = (section: Section) => repository({ ...feed, auth: section })
const basic = { type: 'basic', username: 'me' }

/** Sections that stand both at the top and in a repository. */
function shared(prefix: string, beside: (section: Section) => Section): Readonly<Record<string, Case>> {
  const cases: Record<string, Case> = {
    'proxy.http_proxy': { to: 'http://proxy.example.org:3128' },
    'proxy.https_proxy': { to: 'http://proxy.example.org:3128' },
    'proxy.no_proxy': { to: ['.example.net'], beside: { proxy } },
    'proxy.username': { from: 'a', to: 'b', beside: { proxy: { ...proxy, password: 'p' } } },
    'proxy.password': { from: 'a', to: 'b', beside: { proxy: { ...proxy, username: 'u' } } },
    'proxy.password_file': { from: 'secret', to: 'secret2', beside: { proxy: { ...proxy, username: 'u' } } },
    'ssl.ca_bundle': { to: 'certificate.pem' },
    'ssl.verify': { to: false },
    'ssl.client_cert': {
      from: 'certificate.pem',
      to: 'certificate2.pem',
      beside: { ssl: { client_key: 'certificate-key.pem' } },
    },
    'ssl.client_key': {
      from: 'certificate-key.pem',
      to: 'certificate2-key.pem',
      beside: { ssl: { client_cert: 'certificate.pem' } },
    },
    'verify.keys': { to: keys },
    'verify.fingerprints': { to: ['A'.repeat(40)], beside: { verify: { keys } } },
    'verify.metadata': { to: 'off', beside: { verify: { keys } } },
    'verify.packages': { to: 'warn', beside: { verify: { keys } } },
    'verify.weak_digests': { to: ['sha1'], beside: { verify: { keys } } },
    'signing.key_file': { from: 'private.asc', to: 'private2.asc' },
    'signing.passphrase': { to: 'words', beside: { signing } },
    'signing.passphrase_file': { to: 'secret', beside: { signing } },
    'download.per_host': { to: 3 },
    'download.retries': { to: 9 },
    'download.timeout': { to: '7s' },
    'download.stall_timeout': { to: '7s' },
    'download.bandwidth_limit': { to: '7MB/s' },
  }
  return Object.fromEntries(
    Object.entries(cases).map(([key, { beside: besides = {}, ...values }]) => [
      `${prefix}${key}`,
      { ...values, beside: beside(besides) },
    ]),
  )
}

const filters = (key: string, to: unknown): readonly [string, Case] => [
  `repositories[].filters.${key}`,
  { to, beside: repository({ ...feed, mode: 'filtered' }) },
]

function retention(prefix: string, beside: Section): Readonly<Record<string, Case>> {
  const counts = ['keep_last', 'keep_daily', 'keep_weekly', 'keep_monthly']
  return Object.fromEntries([
    ...counts.map((rule) => [`${prefix}retention.${rule}`, { from: 1, to: 2, beside }]),
    [`${prefix}retention.keep_within`, { from: '1d', to: '30d', beside }],
  ])
}

const cases: Readonly<Record<string, Case>> = {
  'database.url': { to: 'postgresql://someone@localhost/somewhere' },
  'database.password_file': {
    to: 'secret',
    beside: { database: { url: 'postgresql://someone@localhost/x' } },
  },
  'storage.base_path': { from: 'a', to: 'b' },
  'storage.pool_path': { to: 'b' },
  'storage.published_path': { to: 'b' },
  'download.concurrency': { to: 3 },
  'publish.keep_generations': { to: 9 },
  'publish.grace': { to: '9h' },
  'limits.root_document': { to: '1MiB' },
  'limits.metadata': { to: '1MiB' },
  'limits.decompressed_ratio': { to: 7 },
  'limits.decompressed_minimum': { to: '1MiB' },
  'limits.package': { to: '1MiB' },
  include: { to: 'conf.d/*.yaml', beside: {} },
  ...shared('', (section) => ({ ...repository(feed), ...section })),
  ...shared('repositories[].', (section) => repository({ ...feed, ...section })),
  'repositories[].id': { from: 'one', to: 'two', beside: repository(feed) },
  'repositories[].name': { to: 'One', beside: repository(feed) },
  'repositories[].type': { from: 'rpm', to: 'nothing', beside: repository(feed) },
  'repositories[].enabled': { to: false, beside: repository(feed) },
  'repositories[].feed': { from: 'https://example.org/a/', to: 'https://example.org/b/' },
  'repositories[].feeds': { from: ['https://example.org/a/'], to: ['https://example.org/b/'] },
  'repositories[].mirrorlist': { from: 'https://example.org/a', to: 'https://example.org/b' },
  'repositories[].metalink': { from: 'https://example.org/a', to: 'https://example.org/b' },
  'repositories[].mode': { to: 'filtered', beside: repository(feed) },
  'repositories[].on_missing': { to: 'skip', beside: repository(feed) },
  'repositories[].tags': { to: ['el9'], beside: repository(feed) },
  'repositories[].rpm.compression': { to: 'zstd', beside: repository({ ...feed, mode: 'filtered' }) },
  ...aptKeys,
  'repositories[].auth.type': {
    from: 'bearer',
    to: 'client_cert',
    beside: auth({ token: 't' }),
  },
  'repositories[].auth.username': { from: 'a', to: 'b', beside: auth({ type: 'basic', password: 'p' }) },
  'repositories[].auth.password': { from: 'a', to: 'b', beside: auth(basic) },
  'repositories[].auth.password_file': { from: 'secret', to: 'secret2', beside: auth(basic) },
  'repositories[].auth.token': { from: 'a', to: 'b', beside: auth({ type: 'bearer' }) },
  'repositories[].auth.token_file': { from: 'secret', to: 'secret2', beside: auth({ type: 'bearer' }) },
  'repositories[].auth.headers.NAME.file': {
    from: 'secret',
    to: 'secret2',
    beside: auth({ type: 'headers' }),
  },
  'repositories[].auth.cert': {
    from: 'certificate.pem',
    to: 'certificate2.pem',
    beside: auth({ type: 'client_cert', key: 'certificate-key.pem' }),
  },
  'repositories[].auth.key': {
    from: 'certificate-key.pem',
    to: 'certificate2-key.pem',
    beside: auth({ type: 'client_cert', cert: 'certificate.pem' }),
  },
  'repositories[].auth.cert_dir': {
    from: 'entitlement',
    to: 'entitlement2',
    beside: auth({ type: 'client_cert' }),
  },
  ...Object.fromEntries([
    filters('rpm.exclude_source_rpms', true),
    ...['groups', 'licenses', 'vendors'].flatMap((list) => [
      filters(`rpm.${list}.include`, ['x']),
      filters(`rpm.${list}.exclude`, ['x']),
    ]),
    filters('rpm.epochs.include', [1]),
    filters('rpm.epochs.exclude', [1]),
    filters('patterns.include', ['x']),
    filters('patterns.exclude', ['x']),
    filters('metadata.architectures.include', ['x86_64']),
    filters('metadata.architectures.exclude', ['x86_64']),
    filters('metadata.size_bytes.min', '1MB'),
    filters('metadata.size_bytes.max', '1MB'),
    filters('metadata.build_time.newer_than', '2026-01-01'),
    filters('metadata.build_time.older_than', '2026-01-01'),
    filters('metadata.build_time.last_n_days', 3),
    filters('post_processing.only_latest_version', true),
    filters('post_processing.only_latest_n_versions', 3),
  ]),
  ...retention('repositories[].', repository(feed)),
  ...retention('views[].', { ...repository(feed), views: [{ name: 'a', repos: ['one'] }] }),
  ...Object.fromEntries(
    Object.entries({
      key_file: { from: 'private.asc', to: 'private2.asc' },
      passphrase: { to: 'words', besides: signing },
      passphrase_file: { to: 'secret', besides: signing },
    }).map(([key, { besides, ...values }]: [string, Omit<Case, 'beside'> & { besides?: Section }]) => [
      `views[].signing.${key}`,
      {
        ...values,
        beside: {
          ...repository(feed),
          views: [{ name: 'a', repos: ['one'], ...(besides && { signing: besides }) }],
        },
      },
    ]),
  ),
  'views[].name': { from: 'a', to: 'b', beside: { ...repository(feed), views: [{ repos: ['one'] }] } },
  'views[].description': { to: 'x', beside: { ...repository(feed), views: [{ name: 'a', repos: ['one'] }] } },
  'views[].repos': {
    from: ['one'],
    to: ['two'],
    beside: {
      repositories: [
        { id: 'one', type: 'rpm', ...feed },
        { id: 'two', type: 'rpm', ...feed },
      ],
      views: [{ name: 'a' }],
    },
  },
}

/** Keys one of whose values makes the document one that is refused: that is the difference. */
const refusing = ['repositories[].type', 'repositories[].auth.type']

let folder: string

/** Keys of TLS take certificates, which are made for each run. */
const reason = whyNoCertificates()

beforeAll(async () => {
  if (reason !== null) return
  folder = await mkdtemp(path.join(tmpdir(), 'chantal-keys-'))
  await cp('assets/demo/RPM-GPG-KEY-demo', path.join(folder, 'key.asc'))
  for (const suffix of ['', '2']) {
    const { certificate, key } = (await createCertificates()).client
    const entitlement = path.join(folder, `entitlement${suffix}`)
    await mkdir(entitlement)
    for (const [name, text] of [
      [`certificate${suffix}.pem`, certificate],
      [`certificate${suffix}-key.pem`, key],
      [`entitlement${suffix}/1.pem`, certificate],
      [`entitlement${suffix}/1-key.pem`, key],
      [`secret${suffix}`, `text${suffix}`],
      [`private${suffix}.asc`, `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${suffix}`],
    ] as const)
      await writeFile(path.join(folder, name), text)
  }
  await mkdir(path.join(folder, 'conf.d'))
  await writeFile(path.join(folder, 'conf.d/more.yaml'), JSON.stringify(repository({ id: 'more', ...feed })))
})
afterAll(() => folder && rm(folder, { recursive: true, force: true }))

describe.skipIf(reason !== null)(
  `every key of the configuration${reason === null ? '' : ` (${reason})`}`,
  () => {
    it('has a case here', () => {
      const all = new Set(documentedKeys(configurationJsonSchema(ecosystems)).map((key) => key.path))
      const leaves = [...all].filter(
        (key) => ![...all].some((other) => other.startsWith(`${key}.`) || other.startsWith(`${key}[]`)),
      )

      expect(Object.keys(cases).sort()).toEqual(leaves.sort())
    })

    it.each(Object.entries(cases))('%s makes a difference', async (key, { from, to, beside = {} }) => {
      const before = await outcome(key, withKey(beside, key, from))
      const after = await outcome(key, withKey(beside, key, to))

      expect(after).not.toBe(before)
    })
  },
)

describe.skipIf(reason !== null)('every setting', () => {
  it('is read by the program', async () => {
    const { settings } = await load({
      ...repository({ ...feed, filters: { patterns: { include: ['x'] } } }),
      views: [{ name: 'a', repos: ['one'] }],
      database: { url: 'postgresql://someone@localhost/x' },
    })
    const source = await programOutsideOfConfiguration()
    const unread = settingNames(settings).filter((name) => {
      const field = name.slice(name.lastIndexOf('.') + 1)
      return !new RegExp(`[.{,?]\\s*${field}\\b(?!\\s*:\\s*(?:string|number|boolean|readonly)\\b)`).test(
        source,
      )
    })

    expect(unread).toEqual([])
  })
})

async function load(document: Section) {
  await writeFile(path.join(folder, 'config.yaml'), JSON.stringify(document))
  return loadConfiguration({
    file: 'config.yaml',
    environment: {},
    home: null,
    workingFolder: folder,
    ecosystems,
    now: new Date(),
  })
}

/** The settings as text; of a document that is refused, why. */
async function outcome(key: string, document: Section): Promise<string> {
  try {
    const { settings } = await load(document)
    const problems = settings.repositories.flatMap((repository) => repository.problems)
    expect(problems.map(({ message }) => message)).toEqual([])
    return inspect(settings, { depth: Number.POSITIVE_INFINITY, maxArrayLength: null, maxStringLength: null })
  } catch (error) {
    if (refusing.includes(key) && isChantalError(error, 'CONFIG_INVALID')) return error.message
    throw error
  }
}

/** The document with one key set, `[]` being the first of a list. `undefined` leaves it out. */
function withKey(document: Section, key: string, value: unknown): Section {
  const result: Section = structuredClone(document)
  const names = key.replaceAll('[]', '.0').split('.')
  const last = names.pop() ?? ''
  const base: Section =
    key.startsWith('repositories[]') && !('repositories' in document) ? repository({}) : {}
  const whole: Record<string, unknown> = { ...base, ...result }
  let at = whole
  for (const [index, name] of names.entries()) {
    const next = at[name] ?? (names[index + 1] === '0' ? [{}] : {})
    at[name] = next
    at = next as Record<string, unknown>
  }
  if (value !== undefined) at[last] = value
  return whole
}

/** `download.perHost`, `repositories.mode`; what an ecosystem, a filter or a feed makes of itself is its own. */
function settingNames(settings: Settings): readonly string[] {
  const names = (prefix: string, value: unknown): readonly string[] =>
    typeof value === 'object' && value !== null && !(value instanceof URL) && !(value instanceof Uint8Array)
      ? Object.entries(value).flatMap(([name, inner]) => [
          `${prefix}${name}`,
          ...(['options', 'filters', 'feed', 'files', 'notices', 'problems'].includes(name)
            ? []
            : Array.isArray(inner)
              ? names(`${prefix}${name}.`, inner[0])
              : names(`${prefix}${name}.`, inner)),
        ])
      : []
  return names('', settings)
}

async function programOutsideOfConfiguration(): Promise<string> {
  const names = (await readdir('src', { recursive: true })).filter(
    (name) =>
      name.endsWith('.ts') &&
      !name.startsWith('config/') &&
      !/\.(test|contract|e2e|test-support)\.ts$/.test(name),
  )
  return (await Promise.all(names.map((name) => readFile(path.join('src', name), 'utf8')))).join('\n')
}
