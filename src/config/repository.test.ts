import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { accessOf, assertUsable } from './access.ts'
import type { RepositorySettings } from './settings.ts'
import { loadText, TemporaryConfiguration } from './temporary-configuration.ts'

async function repositoryOf(rest: string, shared = ''): Promise<RepositorySettings> {
  const { settings } = await loadText(`${shared}\nrepositories:\n  - id: a\n    type: rpm\n${rest}`)
  const [repository] = settings.repositories
  if (!repository) throw new Error('no repository')
  return repository
}

const feed = '    feed: https://example.org/x\n'

describe('a feed', () => {
  it.each([
    ['https://example.org', 'https://example.org/'],
    ['https://example.org/epel/9', 'https://example.org/epel/9/'],
    ['https://example.org/epel/9/?token=abc', 'https://example.org/epel/9/?token=abc'],
    ['https://example.org/epel?token=abc#top', 'https://example.org/epel/?token=abc'],
    ['file:///srv/mirror', 'file:///srv/mirror/'],
  ])('reads %s as %s', async (text, expected) => {
    const repository = await repositoryOf(`    feed: '${text}'`)

    expect(repository.feed).toEqual({ kind: 'urls', urls: [new URL(expected)] })
  })

  it('takes a login out of its URL', async () => {
    const repository = await repositoryOf('    feed: https://us%40er:p%3Aw@example.org/x')

    expect(repository.feed).toEqual({ kind: 'urls', urls: [new URL('https://example.org/x/')] })
    expect(repository.credentials).toEqual({ kind: 'basic', username: 'us@er', password: 'p:w' })
  })

  it('keeps mirrors in order', async () => {
    const repository = await repositoryOf('    feeds: [https://b/x, https://a/x]')

    expect(repository.feed).toEqual({
      kind: 'urls',
      urls: [new URL('https://b/x/'), new URL('https://a/x/')],
    })
  })

  it.each(['mirrorlist', 'metalink'])('leaves the URL of a %s as it is', async (kind) => {
    const repository = await repositoryOf(`    ${kind}: https://example.org/list?repo=epel-9&arch=x86_64`)

    expect(repository.feed).toEqual({
      kind,
      url: new URL('https://example.org/list?repo=epel-9&arch=x86_64'),
    })
  })

  it('is absent from a hosted repository', async () => {
    const repository = await repositoryOf('    mode: hosted')

    expect([repository.feed, repository.mode, accessOf(repository)]).toEqual([null, 'hosted', null])
  })
})

describe('a login', () => {
  it.each([
    ['{type: basic, username: u, password: p}', { kind: 'basic', username: 'u', password: 'p' }],
    ['{type: basic, username: u, password: 1234}', { kind: 'basic', username: 'u', password: '1234' }],
    [
      '{type: basic, username: u, password_file: secret}',
      { kind: 'basic', username: 'u', password: 'from file' },
    ],
    ['{type: bearer, token: t}', { kind: 'bearer', token: 't' }],
    ['{type: bearer, token_file: secret}', { kind: 'bearer', token: 'from file' }],
    [
      '{type: headers, headers: {X-Key: k, X-Other: {file: secret}}}',
      { kind: 'headers', headers: { 'X-Key': 'k', 'X-Other': 'from file' } },
    ],
  ])('reads %s', async (auth, expected) => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `repositories:\n  - {id: a, type: rpm, feed: https://a/, auth: ${auth}}`,
      secret: 'from file\r\n',
    })

    const { settings } = await files.load()

    expect(settings.repositories[0]?.credentials).toEqual(expected)
  })
})

describe('what repositories share', () => {
  it('gives way key by key under download', async () => {
    const repository = await repositoryOf(
      `${feed}    download: {timeout: 5s, bandwidth_limit: 1MB/s}\n`,
      'download: {retries: 1, timeout: 1m, bandwidth_limit: 9MB/s}',
    )

    expect(repository.download).toEqual({
      perHost: 8,
      retries: 1,
      timeoutMs: 5000,
      stallTimeoutMs: 60_000,
      bandwidth: 1_000_000,
    })
  })

  it('gives way as a whole under proxy, so that no login reaches another proxy', async () => {
    const shared = 'proxy: {https_proxy: "http://u:p@one:3128", no_proxy: "localhost, .lan"}'

    expect((await repositoryOf(feed, shared)).proxy).toEqual({
      http: null,
      https: new URL('http://one:3128/'),
      noProxy: ['localhost', '.lan'],
      username: 'u',
      password: 'p',
    })
    expect((await repositoryOf(`${feed}    proxy: {http_proxy: two:3128}`, shared)).proxy).toEqual({
      http: new URL('http://two:3128/'),
      https: null,
      noProxy: [],
      username: null,
      password: null,
    })
  })

  it.each<[string, string, readonly string[], readonly string[], string]>([
    ['takes both from above', '', ['shared'], ['A'.repeat(40)], 'require'],
    ['keeps fingerprints with their keys', '    verify: {keys: [own.asc]}', ['own'], [], 'require'],
    ['may be off', '    verify: {metadata: "off"}', ['shared'], ['A'.repeat(40)], 'off'],
  ])('under verify %s', async (_, own, keys, fingerprints, metadata) => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `verify: {keys: [shared.asc], fingerprints: ['0x${'aaaa '.repeat(10)}']}\nrepositories:\n  - id: a\n    type: rpm\n${feed}${own}`,
      'shared.asc': 'shared',
      'own.asc': 'own',
    })

    const { settings } = await files.load()

    const verify = settings.repositories[0]?.verify
    expect(verify?.keys.map((key) => Buffer.from(key).toString())).toEqual(keys)
    expect(verify).toMatchObject({ fingerprints, metadata })
  })

  it('signs with its own key, the shared one, or none', async () => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `signing: {key_file: one, passphrase_file: secret}
repositories:
  - {id: a, type: rpm, feed: https://a/}
  - {id: b, type: rpm, feed: https://a/, signing: {key_file: two}}
  - {id: c, type: rpm, feed: https://a/, signing: false}
`,
      one: 'key one',
      two: 'key two',
      secret: 'open\n',
    })

    const { settings } = await files.load()

    expect(settings.repositories.map(({ signing }) => signing)).toEqual([
      { key: 'key one', passphrase: 'open' },
      { key: 'key two', passphrase: null },
      null,
    ])
  })
})

describe('filters', () => {
  it('make a repository filtered', async () => {
    const repository = await repositoryOf(`${feed}    filters:
      patterns: {include: ['(?i)^NGINX'], exclude: [debug]}
      metadata:
        architectures: {include: [x86_64]}
        size_bytes: {max: 1MB}
        build_time: {newer_than: 2026-01-01, last_n_days: 7}
      rpm: {exclude_source_rpms: yes}
      post_processing: {only_latest_version: true}
`)

    expect(repository.mode).toBe('filtered')
    expect(repository.filters).toEqual({
      any: true,
      patterns: { include: [/^NGINX/i], exclude: [/debug/] },
      architectures: { include: ['x86_64'], exclude: [] },
      size: { min: null, max: 1_000_000 },
      buildTime: { newerThan: new Date('2026-01-01T00:00:00Z'), olderThan: null, lastDays: 7 },
      keepNewest: 1,
      ecosystem: { exclude_source_rpms: true },
    })
  })

  it.each([
    ['{}', false],
    ['{patterns: {include: [a]}}', true],
    ['{rpm: {}}', true],
    ['{post_processing: {only_latest_n_versions: 2}}', true],
    ['{post_processing: {only_latest_version: false}}', false],
  ])('of %s are any: %s', async (filters, any) => {
    expect((await repositoryOf(`${feed}    filters: ${filters}`)).filters.any).toBe(any)
  })
})

describe('a file that cannot be read', () => {
  const missing = [
    '    verify: {keys: [missing.asc]}',
    '    signing: {key_file: missing.asc}',
    '    ssl: {ca_bundle: missing.pem}',
    '    auth: {type: basic, username: u, password_file: missing}',
    '    auth: {type: client_cert, cert_dir: missing}',
  ]

  it.each(missing)('stops what needs it, not the rest: %s', async (rest) => {
    const repository = await repositoryOf(feed + rest)

    expect(repository.problems).toHaveLength(1)
    expect(() => assertUsable(repository)).toThrow('missing')
    expect(() => accessOf(repository)).toThrow('config.yaml:6:')
  })

  it('never leaves unsigned or unverified what was to be signed or verified', async () => {
    const repository = await repositoryOf(
      `${feed}    verify: {keys: [missing.asc]}\n    signing: {key_file: missing.asc}`,
    )

    expect(repository.verify).toMatchObject({ metadata: 'require', keys: [] })
    expect(repository.signing).toEqual({ key: '', passphrase: null })
  })
})

it('starts relative names at the file that has them', async () => {
  await using files = await TemporaryConfiguration.of({
    'config.yaml': 'include: conf.d/*.yaml',
    'conf.d/a.yaml': 'repositories: [{id: a, type: rpm, feed: https://a/, verify: {keys: [keys/a.asc]}}]',
    'conf.d/keys/a.asc': 'found',
  })

  const { settings } = await files.load()

  expect(settings.files).toContain(join(files.folder, 'conf.d/a.yaml'))
  expect(settings.repositories[0]?.problems).toEqual([])
})
