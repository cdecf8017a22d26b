import { describe, expect, it } from 'vitest'
import { errorOf, loadText } from './temporary-configuration.ts'

/** The document with its mistake marked by `>>` right before it. */
function marked(text: string): { readonly text: string; readonly line: number; readonly column: number } {
  const before = text.slice(0, text.indexOf('>>')).split('\n')
  return { text: text.replace('>>', ''), line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

const repository = (rest: string) =>
  `repositories:\n  - id: a\n    type: rpm\n    feed: https://example.org/\n${rest}`

describe('a mistake names its line, its path and what is wrong', () => {
  it.each<[string, string, string]>([
    ['>>stroage: {}', 'stroage', 'unknown key "stroage"'],
    ['download:\n  >>retrys: 3', 'download.retrys', 'unknown key "retrys"'],
    ['download:\n  >>retries: many', 'download.retries', 'expected a number, found text'],
    ['download:\n  >>retries: 1000', 'download.retries', 'expected at most 100'],
    ['download:\n  >>timeout: soon', 'download.timeout', 'expected a duration'],
    ['download:\n  >>bandwidth_limit: 50MB', 'download.bandwidth_limit', 'such as "50MB/s"'],
    ['limits:\n  >>package: big', 'limits.package', 'expected a size'],
    ['publish: {>>grace: 6}', 'publish.grace', 'with its unit'],
    ['>>repositories: {}', 'repositories', 'expected a list'],
    ['repositories:\n  - >>type: rpm\n    feed: https://a/', 'repositories[0].id', 'missing key "id"'],
    ['repositories:\n  - >>id: a\n    feed: https://a/', 'repositories[0].type', 'missing key "type"'],
    ['repositories:\n  - >>id: a\n    type: rpm', 'repositories[0].feed', 'missing key "feed"'],
    ['repositories:\n  - {>>id: A, type: rpm, feed: https://a/}', 'repositories[0].id', 'lower-case'],
    [
      'repositories:\n  - {id: a, >>type: rmp, feed: https://a/}',
      'repositories[0].type',
      'expected "rpm" or "apt"',
    ],
    [repository('    >>mode: mirorr'), 'repositories[0].mode', 'expected "mirror", "filtered" or "hosted"'],
    [repository('    mode: mirror\n    >>filters: {}'), 'repositories[0].filters', 'need "mode: filtered"'],
    [repository('    >>metalink: https://b/'), 'repositories[0].metalink', 'give one of feed'],
    [
      'repositories:\n  - {id: a, type: apt, >>metalink: https://a/, apt: {suites: [x]}}',
      'repositories[0].metalink',
      'a metalink lists mirrors of a repomd.xml, which APT repositories do not have',
    ],
    [
      'repositories:\n  - {id: a, type: rpm, mode: hosted, >>feed: https://a/}',
      'repositories[0].feed',
      'has no upstream',
    ],
    [
      'repositories:\n  - {id: a, type: rpm, mode: hosted, >>filters: {}}',
      'repositories[0].filters',
      'holds what is uploaded',
    ],
    [
      'repositories:\n  - {id: a, type: rpm, >>feed: ftp://a/}',
      'repositories[0].feed',
      'http, https or file',
    ],
    ['repositories:\n  - {id: a, type: rpm, >>feed: not a url}', 'repositories[0].feed', 'expected a URL'],
    ['repositories:\n  - {id: a, type: rpm, >>feed: file://b/c}', 'repositories[0].feed', 'without a host'],
    ['repositories:\n  - {id: a, type: rpm, >>feed: file:///b%2Fc}', 'repositories[0].feed', 'encoded slash'],
    [
      'repositories:\n  - {id: a, type: rpm, >>feed: file:///b%00c}',
      'repositories[0].feed',
      'null character',
    ],
    [
      'repositories:\n  - {id: a, type: rpm, >>metalink: file:///b}',
      'repositories[0].metalink',
      'over http or https',
    ],
    [
      'repositories:\n  - {id: a, type: rpm, feeds: [https://a/, >>b]}',
      'repositories[0].feeds[1]',
      'expected a URL',
    ],
    [repository('    >>apt: {suites: [x]}'), 'repositories[0].apt', 'is for repositories of type apt'],
    [
      repository('    filters:\n      >>deb: {}'),
      'repositories[0].filters.deb',
      'is for repositories of type apt',
    ],
    [
      repository('    filters:\n      rpm:\n        >>exclude_source: true'),
      'repositories[0].filters.rpm.exclude_source',
      'unknown key',
    ],
    [
      repository("    filters:\n      patterns:\n        include:\n          - ok\n          - >>'^g++$'"),
      'repositories[0].filters.patterns.include[1]',
      'Nothing to repeat',
    ],
    [
      repository("    filters:\n      patterns:\n        exclude: [>>'(?P<x>a)']"),
      'repositories[0].filters.patterns.exclude[0]',
      '(?<name>...)',
    ],
    [
      repository('    filters:\n      metadata:\n        >>size_bytes: {min: 2, max: 1}'),
      'repositories[0].filters.metadata.size_bytes',
      'nothing would be kept',
    ],
    [
      repository('    filters:\n      metadata:\n        build_time:\n          >>newer_than: monday'),
      'repositories[0].filters.metadata.build_time.newer_than',
      'expected a date',
    ],
    [repository('    auth:\n      >>type: bsic'), 'repositories[0].auth.type', 'expected "basic"'],
    [repository('    >>auth:\n      type: bearer'), 'repositories[0].auth.token', 'missing key "token"'],
    [
      repository('    auth: {type: bearer, token: a, >>token_file: b}'),
      'repositories[0].auth.token_file',
      'not both',
    ],
    [repository('    >>auth: {type: client_cert}'), 'repositories[0].auth', 'needs "cert" and "key"'],
    [repository('    ssl: {>>client_cert: x}'), 'repositories[0].ssl.client_cert', 'needs "client_key"'],
    [
      repository('    verify:\n      >>packages: warn'),
      'repositories[0].verify.packages',
      '"packages" needs "keys"',
    ],
    [
      'repositories:\n  - {id: d, type: apt, feed: https://b/, apt: {suites: [x]}, verify: {>>packages: require}}',
      'repositories[0].verify.packages',
      'packages of APT repositories carry no signatures',
    ],
    [
      repository('    verify: {keys: [], weak_digests: [>>sha256]}'),
      'repositories[0].verify.weak_digests[0]',
      'sha1',
    ],
    [repository('    verify: {>>metadata: require}'), 'repositories[0].verify.metadata', 'needs "keys"'],
    [
      repository('    verify: {keys: [], fingerprints: [>>abcd]}'),
      'repositories[0].verify.fingerprints[0]',
      '40 or 64',
    ],
    [
      repository('    retention: {>>keep_lats: 3}'),
      'repositories[0].retention.keep_lats',
      'unknown key "keep_lats"',
    ],
    [repository('    retention: {>>keep_last: 0}'), 'repositories[0].retention.keep_last', '1'],
    [repository('    retention: {>>keep_within: 3 moons}'), 'repositories[0].retention.keep_within', '7d'],
    [repository('    >>retention: {}'), 'repositories[0].retention', 'at least one rule'],
    [
      repository('  - {>>id: a, type: rpm, feed: https://b/}'),
      'repositories[1].id',
      'is taken, at config.yaml:2:5',
    ],
    [repository('views:\n  - {>>name: a, repos: [a]}'), 'views[0].name', 'is taken'],
    [repository('views:\n  - {name: v, repos: [>>b]}'), 'views[0].repos[0]', 'there is no repository "b"'],
    [repository('views:\n  - {name: v, repos: [a, >>a]}'), 'views[0].repos[1]', 'named twice'],
    [
      repository(
        '  - {id: d, type: apt, feed: https://b/, apt: {suites: [x]}}\nviews:\n  - {name: v, repos: [a, >>d]}',
      ),
      'views[0].repos[1]',
      'of one type',
    ],
    [repository('views:\n  - {name: v, >>repos: []}'), 'views[0].repos', 'at least 1 entry'],
    [
      'repositories:\n  - >>id: d\n    type: apt\n    feed: https://b/',
      'repositories[0].apt.suites',
      'missing key "suites"',
    ],
    ['a: 1\n>>a: 2', '', 'stands here twice, first at config.yaml:1:1'],
    ['storage: [\n>>', '', 'not valid YAML'],
    ['>>a: 1\n---\nb: 2', '', 'several YAML documents'],
    ['>>- a', '', 'expected keys and values'],
    ['storage: >>*nowhere', '', 'no anchor'],
  ])('%s', async (document, path, problem) => {
    const { text, line, column } = marked(document)

    const error = await errorOf(text)

    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(problem)
    expect(error.details).toMatchObject({ file: 'config.yaml', line, column, path })
  })
})

it.each([
  ['stroage: {}', 'Did you mean "storage"?'],
  [repository('    mode: mirorr'), 'Did you mean "mirror"?'],
  [repository('    auth: {type: bsic}'), 'Did you mean "basic"?'],
  [repository('    auth: {type: basic, username: x, pasword: y}'), 'Did you mean "password"?'],
  [repository('views: [{name: v, repos: [b]}]'), 'Did you mean "a"?'],
  [repository('    filters: {rpm: {licences: {}}}'), 'Did you mean "licenses"?'],
])('says what %j may have meant', async (text, hint) => {
  expect((await errorOf(text)).hint).toBe(hint)
})

it('reports every mistake of a document at once, and shows people ten', async () => {
  const wrong = Array.from({ length: 12 }, (_, index) => `  key${index}: 1\n`).join('')
  const error = await errorOf(`download:\n${wrong}repositories:\n  - {id: a, type: rpm}\n`)

  expect(error.details['mistakes']).toHaveLength(13)
  expect(error.message.split('\n')).toHaveLength(21)
  expect(error.message.split('\n').at(-1)).toBe('and 3 more')
})

it.each([
  repository('    auth: {type: basic, username: u, password: hunter2, x: 1}'),
  repository('    auth: {type: bearer, token: [hunter2]}'),
  repository('    auth: {type: bearer, token: "hunter2\\nX"}'),
  repository('    auth: {type: headers, headers: {X: {a: hunter2}}}'),
  'repositories: [{id: a, type: rpm, feed: "ftp://u:hunter2@h/"}]',
  'repositories: [{id: a, type: rpm, feed: "https://u:hunter2@h:x/"}]',
  'proxy: {http_proxy: "socks://u:hunter2@h/"}',
  'proxy: {password: hunter2\n',
  'proxy: {password: hunter2, password: hunter2}',
  'proxy: {password: "${SECRET} ${MISSING}"}',
  'signing: {passphrase: hunter2}',
])('never says a secret: %j', async (text) => {
  const error = await errorOf(text, { SECRET: 'hunter2' })

  expect(
    JSON.stringify([error.message, error.hint, error.details, String(error.cause), error.stack]),
  ).not.toContain('hunter2')
})

describe('what YAML makes of a value', () => {
  it.each([
    ['suites: [1.10, 007, 9, "8"]', ['1.10', '007', '9', '8']],
    ['suites: [2026-01-01, 1e3, 0x10, yes]', ['2026-01-01', '1e3', '0x10', 'yes']],
  ])('leaves versions in %s as they are', async (options, suites) => {
    const { settings } = await loadText(
      `repositories: [{id: a, type: apt, feed: "https://a/", apt: {${options}}}]`,
    )

    expect(settings.repositories[0]?.options).toMatchObject({ suites })
  })

  it('knows anchors and merge keys', async () => {
    const { settings } = await loadText(
      'repositories:\n  - &a {id: a, type: rpm, feed: "https://a/", tags: [x]}\n  - {<<: *a, id: b}\n',
    )

    expect(settings.repositories.map(({ id, tags }) => [id, tags])).toEqual([
      ['a', ['x']],
      ['b', ['x']],
    ])
  })

  it('takes an empty key for an absent one', async () => {
    const { settings } = await loadText(`proxy:\nviews:\n${repository('    auth:\n    tags:\n')}`)

    expect(settings.repositories[0]).toMatchObject({ credentials: { kind: 'none' }, tags: [] })
  })

  it('stops where aliases multiply', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(9)}]`,
    )

    const error = await errorOf(`l0: &l0 [x]\n${levels.join('\n')}`)

    expect(error.message).toContain('aliases repeat too much')
  })
})
