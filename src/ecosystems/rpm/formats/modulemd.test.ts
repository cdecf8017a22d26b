import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { moduleStreamsOf, readModules, withEpoch } from './modulemd.ts'
import { pruneModules } from './modulemd-prune.ts'

const corpus = '../shared/corpus/rpm'
const testData = `${corpus}/libmodulemd-testdata`

const nodejs = `---
document: modulemd
version: 2
data:
  name: nodejs
  stream: 2.10   # not 2.1
  version: 20180920144631
  context: 00000000
  arch: x86_64
  static_context: true
  description: >-
    Text with dashes
      ---
  artifacts:
    # what was built
    rpms:
    - nodejs-1:8.11.4-1.module_1.x86_64
    - "npm-1:6.0-1.module_1.x86_64"  # quoted
    - nodejs-docs-8.11.4-1.module_1.noarch
...
`
const perl = `---
document: modulemd
version: 1
data:
  name: perl
  stream: '5.26'
  artifacts:
    rpms: [perl-4:5.26-1.x86_64, perl-libs-4:5.26-1.x86_64]
`
const bare = `---
document: modulemd
version: 2
data: {name: bare, stream: rolling}
`
const note = (kind: string, rest: string): string => `---
document: modulemd-${kind}
version: 1
data:
  module: ${rest}
`
const everything = (): boolean => true
const nothing = (): boolean => false

describe('readModules', () => {
  it('reads text that ends with an empty line as libyaml writes it, its quote at the beginning of a line', () => {
    const odd = nodejs.replace('  arch: x86_64', "  summary: 'Runs.\n\n\n\n'\n  arch: x86_64")

    const documents = readModules(odd)

    expect(documents).toMatchObject([{ kind: 'stream', stream: '2.10', text: odd }])
    expect(pruneModules(odd, nothing).warnings).toEqual([])
    expect(pruneModules(odd, everything).text).toBe(odd)
  })

  it('keeps scalars as they are written and documents byte for byte', () => {
    const text = `# repository of the day\n${nodejs}\r\n${perl}${bare}`

    const documents = readModules(text)

    expect(documents.map((document) => document.text).join('')).toBe(text)
    expect(documents[0]).toMatchObject({
      kind: 'stream',
      name: 'nodejs',
      stream: '2.10',
      version: '20180920144631',
      context: '00000000',
      architecture: 'x86_64',
      staticContext: true,
      artifacts: [
        'nodejs-1:8.11.4-1.module_1.x86_64',
        'npm-1:6.0-1.module_1.x86_64',
        'nodejs-docs-0:8.11.4-1.module_1.noarch',
      ],
    })
    expect(documents[1]).toMatchObject({ stream: '5.26', staticContext: null })
  })

  it.each([
    ['text that is no mapping', 'garbage\n'],
    ['data that is no mapping', '---\ndocument: modulemd\nversion: 2\ndata: foobar\n'],
    ['a version of the format that nobody knows', '---\ndocument: modulemd\nversion: 3000\ndata: {}\n'],
    ['YAML that is none', '---\na: b\n c: [\n'],
    ['a key given twice', '---\ndocument: modulemd\nversion: 2\ndata:\n  name: a\n  name: b\n'],
    [
      'artifacts behind an alias',
      '---\ndocument: modulemd\nversion: 2\ndata:\n  x: &x [a-0:1-1.noarch]\n  artifacts:\n    rpms: *x\n',
    ],
    ['an escape that is none', '---\ndocument: "\\xZZ"\n'],
    ['nothing', '---\n'],
  ])('reads the rest around %s', (_what, broken) => {
    const documents = readModules(`${nodejs}${broken}...\n${perl}`)

    expect(documents.map((document) => document.kind)).toEqual(['stream', 'broken', 'stream'])
  })

  it('splits a long run of separators without reading it again and again', () => {
    expect(readModules('...\n'.repeat(200_000))).toEqual([])
  })

  it('names the streams of each artifact once, over versions and contexts', () => {
    const again = nodejs.replace('20180920144631', '20190101000000')
    const other = nodejs.replace('2.10', '12')

    const streams = moduleStreamsOf(readModules(nodejs + again + other + bare))

    expect(streams.get('npm-1:6.0-1.module_1.x86_64')).toEqual(['nodejs:2.10', 'nodejs:12'])
    expect(streams.get('nodejs-docs-0:8.11.4-1.module_1.noarch')).toEqual(['nodejs:2.10', 'nodejs:12'])
  })

  it('tells builds of one stream apart that were made against different streams of another module', () => {
    const against = (stream: string, artifact: string) => `---
document: modulemd
version: 2
data:
  name: perl-DBI
  stream: 1.641
  dependencies:
  - buildrequires: {perl: ["${stream}"], platform: [el8]}
    requires:
      platform: [el8]
      perl: ["${stream}"]
  artifacts: {rpms: [${artifact}]}
`
    const old = 'perl-DBI-0:1.641-2.module_1.x86_64'
    const [one, other] = ['perl-DBI-0:1.641-3.module_2.x86_64', 'perl-DBI-0:1.641-3.module_3.x86_64']

    const streams = moduleStreamsOf(
      readModules(against('5.24', old) + against('5.24', one) + against('5.26', other)),
    )

    expect([...streams]).toEqual([
      [old, ['perl-DBI:1.641 perl:5.24']],
      [one, ['perl-DBI:1.641 perl:5.24']],
      [other, ['perl-DBI:1.641 perl:5.26']],
    ])
  })

  it.each([
    ['a-b-1.0-2.fc9.noarch', 'a-b-0:1.0-2.fc9.noarch'],
    ['a-b-7:1.0-2.fc9.noarch', 'a-b-7:1.0-2.fc9.noarch'],
    ['nonsense', 'nonsense'],
    ['-1-1', '-1-1'],
  ])('makes the epoch of %s explicit: %s', (nevra, expected) => expect(withEpoch(nevra)).toBe(expected))
})

describe('pruneModules', () => {
  it('gives back the input where everything is published', () => {
    const text = `${nodejs}${perl}${note('defaults', 'nodejs')}${bare}`

    expect(pruneModules(text, everything)).toEqual({ text, changed: false, droppedStreams: [], warnings: [] })
  })

  it('keeps builds of one stream, version and context apart that say different things', () => {
    const text = `${nodejs}${nodejs.replace('Text with', 'Other text with')}${note('obsoletes', 'nodejs\n  reset: true')}`

    expect(pruneModules(text, everything).text).toBe(text)
  })

  it('takes out the lines of artifacts that are not published and no other byte', () => {
    const pruned = pruneModules(nodejs, (nevra) => nevra.startsWith('nodejs-'))

    expect(pruned.text).toBe(nodejs.replace(/.*"npm.*\n/, ''))
    expect(pruned.changed).toBe(true)
  })

  it('matches artifacts without an epoch as epoch 0', () => {
    const pruned = pruneModules(nodejs, (nevra) => nevra === 'nodejs-docs-0:8.11.4-1.module_1.noarch')

    expect(pruned.text).toContain('\n    - nodejs-docs-8.11.4-1.module_1.noarch\n...')
  })

  it.each([
    ['flow style', '[perl-4:5.26-1.x86_64, perl-libs-4:5.26-1.x86_64]', '[perl-libs-4:5.26-1.x86_64]'],
    [
      'flow style over lines',
      '[\n      "perl-4:5.26-1.x86_64", # ]\n      perl-libs-4:5.26-1.x86_64, # ]\n     ]',
      '[perl-libs-4:5.26-1.x86_64]',
    ],
    [
      'a list with values on their own lines',
      '\n    -\n      perl-4:5.26-1.x86_64\n    - perl-libs-4:5.26-1.x86_64',
      '\n     ["perl-libs-4:5.26-1.x86_64"]',
    ],
    [
      'a folded artifact',
      '\n    - >-\n      perl-4:5.26-1.x86_64\n    - perl-libs-4:5.26-1.x86_64',
      '\n     ["perl-libs-4:5.26-1.x86_64"]',
    ],
  ])('edits %s', (_what, list, expected) => {
    const flow = '[perl-4:5.26-1.x86_64, perl-libs-4:5.26-1.x86_64]'

    const pruned = pruneModules(perl.replace(flow, list), (nevra) => nevra.startsWith('perl-libs'))

    expect(pruned.warnings).toEqual([])
    expect(pruned.text).toBe(perl.replace(flow, expected))
  })

  it('keeps rpm-map in step with the list', () => {
    const entry = (digest: string, nevra: string): string =>
      `        ${digest}:\n          name: x\n          nevra: ${nevra}\n`
    const map = (...entries: string[]): string =>
      nodejs.replace('...\n', `    rpm-map:\n      sha256:\n${entries.join('')}...\n`)
    const [npm, node] = [
      entry('aa', 'npm-1:6.0-1.module_1.x86_64'),
      entry('bb', 'nodejs-1:8.11.4-1.module_1.x86_64'),
    ]
    const wanted = (nevra: string): boolean => nevra.startsWith('nodejs-')

    expect(pruneModules(map(npm, node), wanted).text).toBe(map(node).replace(/.*"npm.*\n/, ''))
    expect(pruneModules(map(npm), wanted).text).toBe(nodejs.replace(/.*"npm.*\n/, ''))
  })

  it('drops an rpm-map in flow style rather than half of it', () => {
    const map = '    rpm-map: {sha256: {aa: {nevra: "npm-1:6.0-1.module_1.x86_64"}}}\n'

    const pruned = pruneModules(nodejs.replace('...\n', `${map}...\n`), (nevra) =>
      nevra.startsWith('nodejs-'),
    )

    expect(pruned.text).toBe(nodejs.replace(/.*"npm.*\n/, ''))
  })

  it('drops a stream without any published artifact, and what speaks of it', () => {
    const notes = [
      note('defaults', 'perl'),
      note('defaults', 'nodejs'),
      note('defaults', 'elsewhere'),
      note('obsoletes', 'nodejs\n  stream: "2.10"\n  context: "00000000"'),
      note('obsoletes', 'perl\n  stream: "5.26"'),
      note('obsoletes', 'nodejs\n  stream: "6"'),
      note('translations', 'perl\n  stream: "5.26"'),
    ]
    const pruned = pruneModules([nodejs, perl, bare, ...notes].join(''), (nevra) =>
      nevra.startsWith('nodejs'),
    )

    expect(pruned.droppedStreams).toEqual(['perl:5.26:::'])
    const remaining = readModules(pruned.text ?? '')
    expect(
      remaining.map((one) =>
        one.kind === 'stream' ? one.name : one.kind === 'broken' ? 'broken' : one.text,
      ),
    ).toEqual(['nodejs', 'bare', notes[1], notes[2], notes[3], notes[5]])
  })

  it('drops the obsoletes of a stream that is gone while the module stays', () => {
    const older = nodejs.replace('2.10', '8').replaceAll('.module_1.', '.module_0.')
    const obsolete = note('obsoletes', 'nodejs\n  stream: 8')

    const pruned = pruneModules(nodejs + older + obsolete, (nevra) => nevra.includes('module_1'))

    expect(pruned.text).toBe(nodejs)
  })

  it('gives null where nothing is left', () => {
    expect(pruneModules(perl + note('defaults', 'perl'), nothing).text).toBeNull()
    expect(pruneModules('', everything).text).toBeNull()
  })

  it('leaves out what is broken and says so', () => {
    const pruned = pruneModules(`${nodejs}---\na: [\n${perl}`, everything)

    expect(pruned.text).toBe(nodejs + perl)
    expect(pruned.warnings).toMatchObject([{ index: 1 }])
  })

  it('keeps documents apart when the one between them goes', () => {
    const unmarked = bare.replace('---\n', '')

    const pruned = pruneModules(`${bare}${nodejs}${unmarked}`, nothing)

    expect(readModules(pruned.text ?? '').map((document) => document.kind)).toEqual(['stream', 'stream'])
  })
})

describe('damaged modules.yaml', () => {
  const text = nodejs + perl + note('obsoletes', 'perl\n  stream: "5.26"') + bare
  const damage = fc.array(
    fc.record({
      at: fc.nat(text.length),
      cut: fc.nat(30),
      put: fc.constantFrom(
        '',
        '\n',
        '...\n',
        '---\n',
        '"',
        '[',
        '{',
        ' ',
        '- ',
        '&a ',
        '*a',
        ':',
        '#',
        '\t',
        '>-\n',
      ),
    }),
    { maxLength: 4 },
  )

  it('never throws, loses no byte, and publishes only what can be read and is published', () => {
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = changes.reduce(
          (left, { at, cut, put }) => left.slice(0, at) + put + left.slice(at + cut),
          text,
        )
        const published = (nevra: string): boolean => !nevra.startsWith('npm')

        const documents = readModules(damaged)
        const left = readModules(pruneModules(damaged, published).text ?? '')

        expect(documents.map((document) => document.text).join('')).toBe(
          documents.length === 0 ? '' : damaged,
        )
        expect(left.filter((document) => document.kind === 'broken')).toEqual([])
        expect([...moduleStreamsOf(left).keys()].filter((nevra) => !published(nevra))).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

describe.skipIf(!existsSync(testData))('modulemd corpus (../shared/corpus is there)', () => {
  const files = existsSync(testData)
    ? readdirSync(testData, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))
    : []

  it.each(files)('splits and prunes %s', (name) => {
    const text = readFileSync(`${testData}/${name}`, 'utf8')
    const documents = readModules(text)
    const artifacts = [...moduleStreamsOf(documents).keys()]
    const half = new Set(artifacts.filter((_nevra, index) => index % 2 === 0))

    const whole = pruneModules(text, everything)
    const pruned = pruneModules(text, (nevra) => half.has(nevra))

    expect(documents.map((document) => document.text).join('')).toBe(text)
    if (!whole.changed) expect(whole.text).toBe(text)
    expect(whole.changed).toBe(
      documents.some((document) => document.kind === 'broken') || documents.length === 0,
    )
    expect(pruned.warnings).toEqual(whole.warnings)
    const left = readModules(pruned.text ?? '')
    expect(left.filter((document) => document.kind === 'broken')).toEqual([])
    expect([...moduleStreamsOf(left).keys()].sort()).toEqual([...half].sort())
  })

  it('finds the streams of a modular repository', () => {
    const folder = `${corpus}/derived-modular/repodata`
    const name = readdirSync(folder).find((file) => file.endsWith('modules.yaml.gz'))
    const text = gunzipSync(readFileSync(`${folder}/${name}`)).toString()

    const documents = readModules(text)
    const pruned = pruneModules(text, (nevra) => nevra.startsWith('postgresql'))

    expect(documents.map((document) => document.kind)).not.toContain('broken')
    expect(moduleStreamsOf(documents).get('postgresql-0:9.6.8-1.module_1710+b535a823.x86_64')).toEqual([
      'postgresql:9.6',
    ])
    const streams = readModules(pruned.text ?? '').filter((document) => document.kind === 'stream')
    expect(streams.map((document) => `${document.name}:${document.stream}`)).toEqual([
      'postgresql:9.6',
      'postgresql:6',
    ])
  })
})
