import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../../../tests/clients/requirements.ts'
import { rpmCorpus } from '../../../../tests/support/rpm-corpus.ts'
import { type RpmFile, writeFilelists, writeOther, writePrimary } from './package-writer.ts'
import { isPlainPackage } from './plain-package.ts'
import { parseRpmHeaders } from './rpm-header.ts'
import { isPrimaryFile, readRpmPackage } from './rpm-package.ts'

const fixtures = 'tests/fixtures/rpm-headers'
const documents = ['primary', 'filelists', 'other'] as const
type Document = (typeof documents)[number]
type Entries = Readonly<Record<Document, string>>

/** What createrepo_c wrote of the packages of a folder, by SHA-256. */
function expectedOf(read: (document: Document) => string): ReadonlyMap<string, Entries> {
  const [primary, filelists, other] = documents.map((document) => {
    const entries = read(document).match(/<package [\s\S]*?<\/package>/g) ?? []
    return new Map(entries.map((entry) => [/(?:pkgid="|YES">)([0-9a-f]{64})/.exec(entry)?.[1] ?? '', entry]))
  })
  return new Map(
    [...(primary ?? [])].map(([id, entry]) => [
      id,
      { primary: entry, filelists: filelists?.get(id) ?? '', other: other?.get(id) ?? '' },
    ]),
  )
}

/** What we write of a package, with the time that createrepo_c found. */
function writtenOf(path: string, bytes: Buffer, expected: Entries): Entries {
  const headers = parseRpmHeaders(bytes)
  if (typeof headers === 'number') throw new Error(`${path} ends too early`)
  const file: RpmFile = {
    href: /<location href="([^"]*)"/.exec(expected.primary)?.[1]?.replaceAll('&amp;', '&') ?? '',
    sha256: hash('sha256', bytes),
    size: bytes.byteLength,
    time: Number(/<time file="(\d+)"/.exec(expected.primary)?.[1]),
  }
  const pkg = readRpmPackage(headers)
  return {
    primary: writePrimary(pkg, file),
    filelists: writeFilelists(pkg, file),
    other: writeOther(pkg, file),
  }
}

/** libxml2 writes references in attributes where we write characters. */
function withoutReferences(entries: Entries): Entries {
  const plain = (text: string) =>
    text.replaceAll(/&#x([0-9A-F]+);/g, (_, digits: string) =>
      String.fromCodePoint(Number.parseInt(digits, 16)),
    )
  return { primary: plain(entries.primary), filelists: plain(entries.filelists), other: plain(entries.other) }
}

function compare(paths: readonly string[], expected: ReadonlyMap<string, Entries>): void {
  for (const path of paths) {
    const bytes = readFileSync(path)
    const theirs = expected.get(hash('sha256', bytes))
    if (!theirs) throw new Error(`createrepo_c passed over ${path}`)
    expect([path, writtenOf(path, bytes, theirs)]).toEqual([path, withoutReferences(theirs)])
  }
}

describe('metadata made of a header', () => {
  it('is what createrepo_c makes of it, to the byte', () => {
    const packages = globSync(`${fixtures}/*.rpm`)
    const expected = expectedOf((document) => readFileSync(`${fixtures}/${document}.xml`, 'utf8'))

    expect(packages.length).toBe(3)
    compare(packages, expected)
  })

  it('can be embedded in documents as it is', () => {
    const expected = expectedOf((document) => readFileSync(`${fixtures}/${document}.xml`, 'utf8'))
    for (const path of globSync(`${fixtures}/*.rpm`)) {
      const bytes = readFileSync(path)
      const written = writtenOf(path, bytes, expected.get(hash('sha256', bytes)) ?? raise(path))
      for (const document of documents)
        expect([path, isPlainPackage(Buffer.from(written[document]), document)]).toEqual([path, true])
    }
  })

  it.each([
    ['/etc/hosts', true],
    ['/etc', false],
    ['/usr/bin/env', true],
    ['/opt/tool/sbin/x', true],
    ['/usr/bin', false],
    ['/usr/lib/sendmail', true],
    ['/usr/lib/sendmail.conf', false],
    ['/var/etc/x', false],
  ])('lists %s in primary: %s', (path, isListed) => {
    expect(isPrimaryFile(path)).toBe(isListed)
  })
})

describeWith(['createrepo_c'], 'beside the installed createrepo_c', () => {
  const folders = [fixtures, 'assets/demo/v1/Packages', ...(existsSync(rpmCorpus) ? [rpmCorpus] : [])]

  it.each(folders)(
    'is the same for every package of %s',
    (folder) => {
      // Latin-1 without saying so: createrepo_c loses half of its characters.
      const packages = globSync(`${folder}/**/*.rpm`).filter((path) => !/iso8859|non-utf-8/.test(path))
      const work = mkdtempSync(join(tmpdir(), 'chantal-createrepo-'))
      try {
        for (const [index, path] of packages.entries()) {
          mkdirSync(join(work, `${index}`))
          cpSync(path, join(work, `${index}`, basename(path)))
        }
        const options = ['--quiet', '--no-database', '--general-compress-type=gz', '--simple-md-filenames']
        const made = spawnSync('createrepo_c', [...options, '--changelog-limit', '10', work], {
          encoding: 'utf8',
        })
        expect(made.status).toBe(0)
        const expected = expectedOf((document) => {
          const path = join(work, 'repodata', `${document}.xml.gz`)
          return spawnSync('gzip', ['-dc', path], { encoding: 'utf8', maxBuffer: 2 ** 28 }).stdout
        })

        expect(packages.length).toBeGreaterThan(2)
        compare(packages, expected)
      } finally {
        rmSync(work, { recursive: true, force: true })
      }
    },
    60_000,
  )
})

function raise(path: string): never {
  throw new Error(`nothing is expected of ${path}`)
}
