import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { accessTo, startDownloadBench, wantedFile } from '../../tests/upstream/downloading.ts'
import { startUpstream, type Upstream } from '../../tests/upstream/upstream.ts'
import type { Feed } from './downloader.ts'
import { parseMetalink } from './metalink.ts'
import { mostMirrors } from './mirrors.ts'

const never = new AbortController().signal

interface State {
  readonly content: string
  readonly timestamp: number
}

const current = { content: '<repomd>3</repomd>', timestamp: 3000 }
const previous = { content: '<repomd>22</repomd>', timestamp: 2000 }
const oldest = { content: '<repomd>111</repomd>', timestamp: 1000 }

function stateXml({ content, timestamp }: State): string {
  const sums = ['md5', 'sha1', 'sha256', 'sha512'].map(
    (type) => `<hash type="${type}">${createHash(type).update(content).digest('hex')}</hash>`,
  )
  return `<mm0:timestamp>${timestamp}</mm0:timestamp><size>${content.length}</size><verification>${sums.join('')}</verification>`
}

function metalinkXml(urls: string, state = stateXml(current), alternates: readonly State[] = []): string {
  const older = alternates.map((alternate) => `<mm0:alternate>${stateXml(alternate)}</mm0:alternate>`)
  return `<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">
 <files><file name="repomd.xml">${state}<mm0:alternates>${older.join('')}</mm0:alternates>
  <resources maxconnections="1">${urls}</resources></file></files></metalink>`
}

function url(target: string, preference = 100): string {
  return `<url protocol="http" type="http" preference="${preference}">${target}</url>`
}

describe('parsing a metalink', () => {
  it('gives the mirrors by preference and what it says of the file, newest alternate first', () => {
    const urls = [
      url('http://low.example/os/repodata/repomd.xml', 10),
      url('rsync://rsync.example/os/repodata/repomd.xml', 100),
      url('https://high.example/os/repodata/repomd.xml', 99),
      url('https://other.example/os/something-else', 98),
      '<url>http://unsaid.example/repodata/repomd.xml</url>',
    ]

    const { file, mirrors } = parseMetalink(metalinkXml(urls.join(''), stateXml(current), [oldest, previous]))

    expect(mirrors.map(String)).toEqual([
      'https://high.example/os/',
      'http://low.example/os/',
      'http://unsaid.example/',
    ])
    expect(file).toMatchObject({ name: 'repomd.xml', size: 18, timestamp: 3000 })
    expect(file.checksums.map((checksum) => checksum.algorithm)).toEqual(['md5', 'sha1', 'sha256', 'sha512'])
    expect(file.alternates.map((alternate) => alternate.timestamp)).toEqual([2000, 1000])
  })

  it.each(['foo', '-1', '8640000000001', '999999999999999'])(
    'takes wrong numbers and checksums as not said, and the time %s',
    (timestamp) => {
      const state = `<mm0:timestamp>${timestamp}</mm0:timestamp><size>bar</size><verification><hash type="sha256">bad</hash><hash type="foo"/></verification>`

      const { file } = parseMetalink(
        metalinkXml(url('http://m.example/repodata/repomd.xml', Number.NaN), state),
      )

      expect(file).toEqual({ name: 'repomd.xml', size: null, timestamp: null, checksums: [], alternates: [] })
    },
  )

  it('reads of files in one another the outermost, and what is in that once', () => {
    const [one, two, three] = ['one', 'two', 'three'].map((host) =>
      url(`http://${host}.example/repodata/repomd.xml`),
    )
    const inner = (urls = '') =>
      `<file name="repomd.xml"><mm0:timestamp>7</mm0:timestamp><resources>${urls}</resources></file>`
    const text = metalinkXml(`${one}</resources>${inner(two)}<resources>`).replace(
      '<files>',
      `<files><file name="other.xml">${inner(three)}</file>`,
    )

    const { file, mirrors } = parseMetalink(text)

    expect(mirrors.map(String)).toEqual(['http://one.example/'])
    expect(file.timestamp).toBe(3000)
  })

  it('keeps the thousand mirrors that it prefers, the hundred newest alternates, and one checksum an algorithm', () => {
    const urls = Array.from({ length: mostMirrors + 5 }, (_, index) =>
      url(`http://m${index}.example/repodata/repomd.xml`, index),
    )
    const alternates = Array.from({ length: 105 }, (_, timestamp) => ({ content: 'x', timestamp }))
    const checksums = ['1', '2'].map((digit) => `<hash type="sha256">${digit.repeat(64)}</hash>`)

    const { file, mirrors } = parseMetalink(metalinkXml(urls.join(''), checksums.join(''), alternates))

    expect(mirrors).toHaveLength(mostMirrors)
    expect(mirrors[0].href).toBe(`http://m${mostMirrors + 4}.example/`)
    expect(file.alternates).toHaveLength(100)
    expect(file.alternates[0]?.timestamp).toBe(104)
    expect(file.checksums).toEqual([{ algorithm: 'sha256', hex: '1'.repeat(64) }])
  })

  it.each([
    ['an HTML page', '<!doctype html><p>log in<br></html>'],
    ['cut short', metalinkXml(url('http://m.example/repodata/repomd.xml')).slice(0, -30)],
    [
      'of another file',
      metalinkXml(url('http://m.example/repodata/repomd.xml')).replace('"repomd.xml"', '"x.iso"'),
    ],
    ['without mirrors', metalinkXml('')],
    [
      'with entities of its own',
      `<!DOCTYPE m [<!ENTITY a "b">]>${metalinkXml(url('http://m/repodata/repomd.xml'))}`,
    ],
    ['nested without end', '<a>'.repeat(100_000)],
    ['empty', ''],
  ])('refuses one that is %s', (_, text) => {
    expect(() => parseMetalink(text)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })

  const samples = '../shared/corpus/rpm/librepo-testdata/test_data/metalinks'
  it.skipIf(!existsSync(samples)).each([
    ['metalink_good_01', 'http://mirror.pnl.gov/fedora/linux/releases/17/Everything/x86_64/os/'],
    ['metalink_with_alternates', 'http://www.mirrorservice.org/'],
    ['metalink_bad_01', 'http://mirror.pnl.gov/fedora/linux/releases/17/Everything/x86_64/os/'],
    ['metalink_bad_02', null],
    ['metalink_really_bad_01', null],
    ['metalink_really_bad_02', null],
    ['metalink_really_bad_03', null],
  ])('reads librepo’s %s (skipped where the samples are not there)', (name, first) => {
    const text = readFileSync(path.join(samples, name), 'utf8')

    if (first === null) expect(() => parseMetalink(text)).toThrow(/metalink/)
    else expect(parseMetalink(text).mirrors[0].href.startsWith(first)).toBe(true)
  })
})

describe('fetching what a metalink lists', () => {
  const wanted = wantedFile('repodata/repomd.xml')

  async function startMirrors(...contents: readonly string[]) {
    const stack = new AsyncDisposableStack()
    const mirrors: Upstream[] = []
    for (const content of contents) {
      mirrors.push(
        stack.use(await startUpstream({ files: { 'os/repodata/repomd.xml': content, 'os/a.rpm': 'a' } })),
      )
    }
    const list = stack.use(await startUpstream())
    const urls = mirrors.map((mirror, n) => url(`${mirror.url}os/repodata/repomd.xml`, 100 - n))
    list.put('metalink', metalinkXml(urls.join(''), stateXml(current), [previous, oldest]))
    const bench = stack.use(await startDownloadBench())
    const feed: Feed = { kind: 'metalink', url: new URL('metalink', list.url) }
    const open = () => bench.downloader.open(accessTo(list.url, { feed }), never)
    const client = await open()
    return { list, mirrors, bench, client, open, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  it('takes it from a mirror that has the current state', async () => {
    await using setup = await startMirrors(current.content)

    const result = await setup.client.fetch(wanted, null, never)

    expect(await setup.bench.read(result)).toBe(current.content)
    expect(setup.bench.events).toEqual([])
  })

  it('passes over stale mirrors, names them, and takes packages from the others too', async () => {
    await using setup = await startMirrors(previous.content, 'never listed', current.content)
    const [stale, unlisted, good] = setup.mirrors

    const result = await setup.client.fetch(wanted, null, never)
    const pkg = await setup.client.fetch(wantedFile('a.rpm'), null, never)

    expect(await setup.bench.read(result)).toBe(current.content)
    expect(setup.bench.warnings('MIRROR_STALE')).toEqual([
      expect.stringContaining(`${stale?.url}os/ is stale`),
      expect.stringContaining(`${unlisted?.url}os/ is stale`),
    ])
    expect(pkg).toMatchObject({ url: `${good?.url}os/a.rpm` })
  })

  it('takes the newest alternate where no mirror has the current state', async () => {
    await using setup = await startMirrors(oldest.content, previous.content, 'never listed')

    const result = await setup.client.fetch(wanted, null, never)
    const pkg = await setup.client.fetch(wantedFile('a.rpm'), null, never)

    expect(await setup.bench.read(result)).toBe(previous.content)
    expect(setup.bench.warnings('MIRROR_STALE')).toHaveLength(4)
    expect(setup.bench.warnings('MIRROR_STALE').at(-1)).toContain('1970-01-01T00:33:20.000Z')
    expect(pkg).toMatchObject({ url: `${setup.mirrors[1]?.url}os/a.rpm` })
  })

  it('names no time of an alternate where none can be what the metalink says', async () => {
    await using setup = await startMirrors(previous.content)
    const noTime = { ...previous, timestamp: 999_999_999_999_999 }
    const urls = url(`${setup.mirrors[0]?.url}os/repodata/repomd.xml`)
    setup.list.put('metalink', metalinkXml(urls, stateXml(current), [noTime]))
    const client = await setup.open()

    const result = await client.fetch(wanted, null, never)

    expect(await setup.bench.read(result)).toBe(previous.content)
    expect(setup.bench.warnings('MIRROR_STALE').at(-1)).toContain('an earlier time')
  })

  it('fails as stale where the metalink knows none of what the mirrors serve', async () => {
    await using setup = await startMirrors('never listed', '<html>')

    await expect(setup.client.fetch(wanted, null, never)).rejects.toMatchObject({ code: 'UPSTREAM_STALE' })
  })

  it('does not trust “not changed” from a mirror that may be stale', async () => {
    await using setup = await startMirrors(previous.content, current.content)
    const stale = await validatorsOf(setup.mirrors[0])

    const result = await setup.client.fetch(wanted, stale, never)

    expect(await setup.bench.read(result)).toBe(current.content)
  })
})

/** The validators with which this mirror would answer 304. */
async function validatorsOf(mirror: Upstream | undefined) {
  await using bench = await startDownloadBench()
  const client = await bench.downloader.open(accessTo(new URL('os/', mirror?.url)), never)
  const result = await client.fetch(wantedFile('repodata/repomd.xml'), null, never)
  return result.status === 'fetched' ? result.validators : null
}
