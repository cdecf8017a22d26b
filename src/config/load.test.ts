import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findConfiguration } from './files.ts'
import { loadConfiguration } from './load.ts'
import { ecosystemsForTests, errorOf, loadText, TemporaryConfiguration } from './temporary-configuration.ts'

const oneRepository = `
repositories:
  - id: epel9
    type: rpm
    feed: https://example.org/epel/9
`

describe('what nothing is said about', () => {
  it.each<[string, unknown]>([
    ['database', { kind: 'sqlite', file: '/var/lib/chantal/chantal.db' }],
    [
      'storage',
      {
        basePath: '/var/lib/chantal',
        poolPath: '/var/lib/chantal/pool',
        publishedPath: '/var/lib/chantal/published',
      },
    ],
    ['download', { concurrency: 16, perHost: 8, bandwidth: null }],
    ['publish', { keepGenerations: 3, graceMs: 6 * 3_600_000 }],
    [
      'limits',
      {
        rootDocument: 32 * 2 ** 20,
        metadata: 2 ** 30,
        decompressedRatio: 200,
        decompressedMinimum: 64 * 2 ** 20,
        package: 16 * 2 ** 30,
      },
    ],
    ['repositories', []],
    ['views', []],
    ['notices', []],
  ])('has a default for %s', async (section, expected) => {
    const { settings } = await loadText('# nothing\n')

    expect(Object.entries(settings).find(([key]) => key === section)?.[1]).toEqual(expected)
  })

  it.each<[string, unknown]>([
    ['name', null],
    ['enabled', true],
    ['mode', 'mirror'],
    ['onMissing', 'fail'],
    ['tags', []],
    ['credentials', { kind: 'none' }],
    ['proxy', { http: null, https: null, noProxy: [], username: null, password: null }],
    ['tls', { verify: true, ca: null, certificate: null, key: null }],
    ['download', { perHost: 8, retries: 4, timeoutMs: 30_000, stallTimeoutMs: 60_000, bandwidth: null }],
    ['verify', { metadata: 'off', packages: 'off', weakDigests: [], keys: [], fingerprints: [] }],
    ['signing', null],
    ['options', {}],
    ['problems', []],
  ])('has a default for %s of a repository', async (key, expected) => {
    const { settings } = await loadText(oneRepository)

    expect(Object.entries(settings.repositories[0] ?? {}).find(([name]) => name === key)?.[1]).toEqual(
      expected,
    )
  })

  it('lets defaults follow the base path, relative to the file', async () => {
    await using files = await TemporaryConfiguration.of({ 'config.yaml': 'storage: {base_path: data}' })

    const { settings } = await files.load()

    expect(settings.storage.poolPath).toBe(join(files.folder, 'data/pool'))
    expect(settings.database).toEqual({ kind: 'sqlite', file: join(files.folder, 'data/chantal.db') })
  })
})

describe('the database', () => {
  it.each([
    ['sqlite:////srv/chantal.db', '/srv/chantal.db'],
    ['sqlite:///chantal.db', 'chantal.db'],
  ])('reads %s', async (url, file) => {
    await using files = await TemporaryConfiguration.of({ 'config.yaml': `database: {url: '${url}'}` })

    const { settings } = await files.load()

    expect(settings.database).toEqual({
      kind: 'sqlite',
      file: join(file.startsWith('/') ? '' : files.folder, file),
    })
  })

  it.each([
    [
      'the file first',
      { 'config.yaml': 'database: {url: "postgresql://u:inurl@db/x", password_file: pw}', pw: 'infile\n' },
      'infile',
    ],
    ['then the URL', { 'config.yaml': 'database: {url: "postgresql+psycopg2://u:in%2Furl@db/x"}' }, 'in/url'],
    ['then PGPASSWORD', { 'config.yaml': 'database: {url: "postgres://u@db/x"}' }, 'inenv'],
  ])('takes the password from %s, and out of the URL', async (_, texts, password) => {
    await using files = await TemporaryConfiguration.of(texts)

    const { settings } = await files.load({ PGPASSWORD: 'inenv' })

    expect(settings.database).toEqual({ kind: 'postgresql', url: new URL('postgresql://u@db/x'), password })
  })

  it('refuses a password file that cannot be read, and takes no other password in its place', async () => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': 'database:\n  url: "postgresql://u@db/x"\n  password_file: absent\n',
    })

    await expect(files.load({ PGPASSWORD: 'inenv' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`cannot read ${join(files.folder, 'absent')}: there is no such file`),
      details: { line: 3, path: 'database.password_file' },
    })
  })

  it.each(['mysql://u:hunter2@db/x', 'sqlite://x', 'sqlite:///:memory:'])('refuses %s', async (url) => {
    const error = await errorOf(`database:\n  url: '${url}'\n`)

    expect(error).toMatchObject({ code: 'CONFIG_INVALID', details: { line: 2, path: 'database.url' } })
    expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2')
  })
})

describe('finding the configuration', () => {
  it('says where it looked', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chantal-config-'))
    const surroundings = { file: null, environment: {}, home: join(folder, 'home'), workingFolder: folder }

    await expect(findConfiguration(surroundings)).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      details: {
        searched: [
          '/etc/chantal/config.yaml',
          join(folder, 'home/.config/chantal/config.yaml'),
          './config.yaml',
        ],
      },
    })
  })

  it.each([
    ['--config', 'named.yaml', { CHANTAL_CONFIG: 'variable.yaml' }, 'named.yaml'],
    ['CHANTAL_CONFIG', null, { CHANTAL_CONFIG: 'variable.yaml' }, 'variable.yaml'],
    ['the home', null, {}, 'HOME/.config/chantal/config.yaml'],
  ])('takes %s first', async (_, file, environment, expected) => {
    await using files = await TemporaryConfiguration.of({
      'named.yaml': '',
      'variable.yaml': '',
      '.config/chantal/config.yaml': '',
      'config.yaml': '',
    })
    const { folder } = files

    const found = await findConfiguration({ file, environment, home: folder, workingFolder: folder })

    expect(found).toBe(expected.replace('HOME', folder))
  })

  it('does not fall back where the named file is not there', async () => {
    await using files = await TemporaryConfiguration.of({ 'config.yaml': '' })
    const { folder } = files

    const found = findConfiguration({
      file: 'other.yaml',
      environment: {},
      home: null,
      workingFolder: folder,
    })

    await expect(found).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      details: { searched: ['other.yaml'] },
    })
  })
})

describe('including files', () => {
  it('unites sections and appends lists, files sorted by name, nested ones relative to theirs', async () => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `include: [conf.d/*.yaml]\ndownload: {per_host: 2}\n${oneRepository}`,
      'conf.d/20.yaml': 'repositories: [{id: c, type: rpm, feed: "https://c/"}]',
      'conf.d/10.yaml':
        'include: more/one.yaml\ndownload: {retries: 1}\nviews: [{name: v, repos: [epel9, b]}]',
      'conf.d/more/one.yaml':
        'repositories: [{id: b, type: rpm, feed: "https://b/", signing: {key_file: key.asc}}]',
      'conf.d/more/key.asc': 'a key',
    })

    const { settings } = await files.load()

    expect(settings.files.map((file) => file.slice(files.folder.length + 1))).toEqual([
      'config.yaml',
      'conf.d/10.yaml',
      'conf.d/more/one.yaml',
      'conf.d/20.yaml',
    ])
    expect(settings.repositories.map(({ id }) => id)).toEqual(['epel9', 'b', 'c'])
    expect(settings.repositories[0]?.download).toMatchObject({ perHost: 2, retries: 1 })
    expect(settings.repositories[1]?.signing).toEqual({ key: 'a key', passphrase: null })
    expect(settings.views).toEqual([
      {
        name: 'v',
        description: null,
        repositories: ['epel9', 'b'],
        signing: null,
        retention: null,
        problems: [],
      },
    ])
  })

  it('names both places of a key that is given twice', async () => {
    const error = await errorOf({
      'config.yaml': 'include: a.yaml\ndownload:\n  retries: 1\n',
      'a.yaml': 'download:\n\n  retries: 1\n',
    })

    expect(error.details).toMatchObject({ file: 'a.yaml', line: 3, column: 3, path: 'download.retries' })
    expect(error.message).toContain('first at config.yaml:3:3')
  })

  it('refuses a circle', async () => {
    const error = await errorOf({ 'config.yaml': 'include: a.yaml', 'a.yaml': '\ninclude: [config.yaml]' })

    expect(error.details).toMatchObject({ file: 'a.yaml', line: 2, path: 'include' })
  })

  it('notices a pattern that matches nothing, and refuses a file that is not there', async () => {
    const { settings } = await loadText('include: conf.d/*.yaml')
    const error = await errorOf('include: conf.d/epel.yaml')

    expect(settings.notices).toEqual([
      { code: 'CONFIG_FILE_MISSING', message: 'config.yaml:1:10: include conf.d/*.yaml matches no file' },
    ])
    expect(error.message).toContain('cannot read conf.d/epel.yaml: there is no such file')
  })

  it('counts repositories in their own file', async () => {
    const error = await errorOf({
      'config.yaml': `include: conf.d/*.yaml\n${oneRepository}`,
      'conf.d/epel.yaml': 'repositories:\n  - id: x\n    type: rpm\n    mirorlist: https://example.org/\n',
    })

    expect(error.message.split('\n').slice(0, 2)).toEqual([
      'configuration: unknown key "mirorlist"',
      '  conf.d/epel.yaml:4:5   repositories[0].mirorlist',
    ])
    expect(error.hint).toBe('Did you mean "mirrorlist"?')
  })
})

describe('variables', () => {
  const name = async (text: string, environment = {}) => {
    const { settings } = await loadText(
      `repositories: [{id: a, type: rpm, feed: 'https://a/', name: '${text}'}]`,
      environment,
    )
    return settings.repositories[0]?.name
  }

  it.each([
    ['${A}', 'set'],
    ['x${A}y${A}', 'xsetyset'],
    ['${B:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${B:-}', ''],
    ['$${A}', '${A}'],
    ['5 $$', '5 $'],
    ['$A', '$A'],
    ['^nginx$', '^nginx$'],
  ])('reads %s as %s', async (text, expected) => {
    expect(await name(text, { A: 'set', EMPTY: '' })).toBe(expected)
  })

  it('gives numbers and truth values where they are wanted', async () => {
    const { settings } = await loadText(
      'download: {retries: "${N}"}\nrepositories: [{id: a, type: rpm, feed: "https://a/", enabled: "${ON}"}]',
      { N: '9', ON: 'false' },
    )

    expect(settings.repositories[0]).toMatchObject({ enabled: false, download: { retries: 9 } })
  })

  it('names a variable that is not set, and its key', async () => {
    const error = await errorOf('repositories:\n  - id: a\n    type: rpm\n    feed: ${FEED}\n')

    expect(error.details).toMatchObject({ line: 4, column: 11, path: 'repositories[0].feed' })
    expect(error.message).toContain('FEED is not set')
  })
})

it('looks at nothing but its arguments for the environment', async () => {
  await using files = await TemporaryConfiguration.of({
    'config.yaml': 'storage: {base_path: "${PATH:-none}"}',
  })
  const request = {
    file: null,
    environment: {},
    home: null,
    workingFolder: files.folder,
    ecosystems: ecosystemsForTests,
  }

  const { settings } = await loadConfiguration({ ...request, now: new Date(0) })

  expect(settings.storage.basePath).toBe(join(files.folder, 'none'))
})
