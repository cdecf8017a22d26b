import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * What a file under `src` may import: what it runs, and of what it may only name the types. The first rule that fits the file
 * counts; `$1` is what its parentheses caught. docs/architecture.md draws the layers.
 */
interface Rule {
  readonly files: RegExp
  readonly imports: string
  readonly types?: string
}

const rules: readonly Rule[] = [
  { files: /^core\//, imports: 'core/' },
  { files: /^codec\//, imports: 'core/|codec/' },
  { files: /^transfer\//, imports: 'core/|codec/|transfer/' },
  {
    files: /^ecosystems\/([^/]+)\/(?:formats\/|version\.ts$)/,
    imports: 'core/|codec/|ecosystems/$1/formats/|ecosystems/$1/version.ts',
  },
  {
    files: /^ecosystems\/([^/]+)\//,
    imports: 'core/|codec/|ecosystems/$1/',
    types: 'sign/|ecosystems/ecosystem.ts',
  },
  { files: /^ecosystems\/registry\.ts$/, imports: 'core/|ecosystems/' },
  { files: /^ecosystems\//, imports: 'core/|ecosystems/', types: 'sign/' },
  { files: /^(pool|catalog)\//, imports: 'core/|$1/' },
  { files: /^sign\//, imports: 'core/|codec/|sign/' },
  { files: /^download\//, imports: 'core/|codec/|pool/|download/' },
  { files: /^publish\//, imports: 'core/|pool/|publish/' },
  { files: /^config\//, imports: 'core/|config/|sign/', types: 'download/|ecosystems/' },
  {
    files: /^app\//,
    // Use cases reach the parts below through their context; what a URL may show of itself, and how an export is written, are rules.
    imports: 'core/|config/|app/|transfer/|download/display-url.ts',
    types: 'download/|ecosystems/|catalog/|publish/|sign/|pool/',
  },
  { files: /^cli\//, imports: 'core/|config/|app/|cli/', types: 'catalog/' },
  // What builds the real parts and wires them, and the process around them.
  {
    files:
      /^(start|cache-folder|program-cache|standard-output|main|download-thread|heap-growth|open-context|open-doctor|open-import-context)\.ts$/,
    imports: '',
  },
]

/** These compute: equal input gives equal output, on any machine, at any time. */
const pure = /^core\/|^codec\/|^transfer\/|^ecosystems\/[^/]+\/(formats\/|version\.ts$)/

const outside =
  /^(node:)?(fs|net|tls|dgram|http|https|http2|dns|child_process|worker_threads|cluster|os|process|timers|sqlite)(\/|$)|^undici(\/|$)/

const impureCode: readonly (readonly [what: string, code: RegExp])[] = [
  ['the process', /\bprocess\s*[.[]/],
  ['the clock', /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bperformance\./],
  ['chance', /\bMath\.random\b|\brandom(UUID|Bytes|Int)\b|\bgetRandomValues\b/],
  ['timers', /\bset(Timeout|Interval|Immediate)\b/],
  ['the network', /(?<![.\w])fetch\(/],
]

interface Import {
  readonly specifier: string
  readonly isType: boolean
}

function importsOf(code: string): readonly Import[] {
  const statements = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*\s{},]*?\sfrom\s*|(?=['"]))['"]([^'"]+)['"]/gm
  const calls = /\bimport\(\s*(?:\/\*.*?\*\/\s*)?['"]([^'"]+)['"]/g
  return [
    ...[...code.matchAll(statements)].map((match) => ({
      specifier: match[2] ?? '',
      isType: match[1] !== undefined,
    })),
    ...[...code.matchAll(calls)].map((match) => ({ specifier: match[1] ?? '', isType: false })),
  ]
}

function targetOf(file: string, { specifier }: Import): string | null {
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file), specifier) : null
}

function violations(file: string, code: string): readonly string[] {
  const rule = rules.find(({ files }) => files.test(file))
  if (!rule) return [`${file} lies in no known layer`]
  const folder = rule.files.exec(file)?.[1] ?? ''
  const within = (allowed: string | undefined, target: string) =>
    allowed !== undefined && new RegExp(`^(?:${allowed.replaceAll('$1', folder)})`).test(target)

  const layers = importsOf(code).flatMap((imported) => {
    const target = targetOf(file, imported)
    if (target === null) {
      return pure.test(file) && outside.test(imported.specifier)
        ? [`${file} is pure but imports ${imported.specifier}`]
        : []
    }
    const isAllowed = within(rule.imports, target) || (imported.isType && within(rule.types, target))
    return isAllowed ? [] : [`${file} may not import ${imported.isType ? 'types of ' : ''}${target}`]
  })
  if (!pure.test(file)) return layers
  const bare = withoutComments(code)
  return [
    ...layers,
    ...impureCode.filter(([, found]) => found.test(bare)).map(([what]) => `${file} is pure but uses ${what}`),
  ]
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<![:'"\\])\/\/.*$/gm, '')
}

/** Each cycle once, as the path around it. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = []
  const finished = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file)
    if (start !== -1) {
      found.push([...trail.slice(start), file].join(' > '))
      return
    }
    if (finished.has(file)) return
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file])
    finished.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

const source = path.join(import.meta.dirname, '../src')
const sources = new Map(
  readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.(test|test-support|contract|e2e)\.ts$/.test(name))
    .sort()
    .map((name) => [name, readFileSync(path.join(source, name), 'utf8')]),
)

describe('the source', () => {
  it('imports only what its layers may, and is pure where it says so', () => {
    const found = [...sources].flatMap(([file, code]) => violations(file, code))

    expect(sources.size).toBeGreaterThan(100)
    expect(found).toEqual([])
  })

  it('has no cycles of what runs', () => {
    const graph = new Map(
      [...sources].map(([file, code]) => [
        file,
        importsOf(code)
          .filter((imported) => !imported.isType)
          .map((imported) => targetOf(file, imported))
          .filter((target) => target !== null),
      ]),
    )

    expect(cycles(graph)).toEqual([])
  })

  it('has no file that is named for being useful', () => {
    const found = [...sources.keys()].filter((file) => /(^|\/)(utils?|helpers?|misc|common)\.ts$/.test(file))

    expect(found).toEqual([])
  })
})

describe('the rules', () => {
  it.each([
    ['core/plan.ts', "import { Pool } from '../pool/pool.ts'"],
    ['core/plan.ts', "import type { Pool } from '../pool/pool.ts'"],
    ['core/plan.ts', "import { open } from 'node:fs/promises'"],
    ['core/plan.ts', "import 'node:fs'"],
    ['core/plan.ts', "const fs = await import('node:fs')"],
    ['core/plan.ts', "export { Pool } from 'undici'"],
    ['core/plan.ts', 'const now = Date.now()'],
    ['core/plan.ts', 'const now = new Date()'],
    ['core/plan.ts', "const home = process.env['HOME']"],
    ['codec/gzip.ts', 'const seed = Math.random()'],
    ['codec/gzip.ts', "import os from 'os'"],
    ['ecosystems/rpm/formats/repomd.ts', "import { read } from '../reader.ts'"],
    ['ecosystems/rpm/formats/repomd.ts', "import type { Verifier } from '../../../sign/verifier.ts'"],
    ['ecosystems/rpm/reader.ts', "import { parse } from '../apt/formats/deb822.ts'"],
    ['ecosystems/rpm/reader.ts', "import { FilesystemPool } from '../../pool/filesystem-pool.ts'"],
    ['ecosystems/rpm/reader.ts', "import { verify } from '../../sign/openpgp.ts'"],
    ['pool/pool.ts', "import type { Catalog } from '../catalog/catalog.ts'"],
    ['catalog/catalog.ts', "import type { Pool } from '../pool/pool.ts'"],
    ['download/retry.ts', "import type { Settings } from '../config/settings.ts'"],
    ['app/sync/sync-repository.ts', "import { SqlCatalog } from '../../catalog/sql-catalog.ts'"],
    ['app/sync/sync-repository.ts', "import { renderError } from '../../cli/render/error.ts'"],
    ['cli/sync.ts', "import { FilesystemPool } from '../pool/filesystem-pool.ts'"],
    ['cli/sync.ts', "const { rpm } = await import('../ecosystems/rpm/rpm.ts')"],
    ['cli/sync.ts', "import {\n  type A,\n  B,\n} from '../catalog/catalog.ts'"],
    ['helpers/misc.ts', ''],
  ])('catch %s with %s', (file, code) => {
    expect(violations(file, code)).toHaveLength(1)
  })

  it.each([
    ['core/plan.ts', "import type { Sha256 } from './digest.ts'"],
    ['core/plan.ts', '// never Date.now(): a plan is a function of its input'],
    ['core/plan.ts', 'const then = new Date(0)'],
    ['ecosystems/rpm/reader.ts', "import type { Verifier } from '../../sign/verifier.ts'"],
    ['ecosystems/rpm/reader.ts', "import { open } from 'node:fs/promises'"],
    ['download/metalink.ts', "import { readXmlText } from '../codec/xml.ts'"],
    ['cli/sync.ts', "const { sync } = await import('../app/sync.ts')"],
    ['main.ts', "import { FilesystemPool } from './pool/filesystem-pool.ts'"],
  ])('let %s have %s', (file, code) => {
    expect(violations(file, code)).toEqual([])
  })

  it('find a cycle through several files', () => {
    const graph = new Map([
      ['a.ts', ['b.ts', 'd.ts']],
      ['b.ts', ['c.ts']],
      ['c.ts', ['a.ts']],
      ['d.ts', []],
    ])

    expect(cycles(graph)).toEqual(['a.ts > b.ts > c.ts > a.ts'])
  })
})
