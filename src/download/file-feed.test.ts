import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { accessTo, promiseOf, startDownloadBench, wantedFile } from '../../tests/upstream/downloading.ts'

const never = new AbortController().signal

async function makeMedium(files: Readonly<Record<string, string>>) {
  const folder = await fs.mkdtemp(path.join(tmpdir(), 'chantal-medium-'))
  for (const [name, content] of Object.entries(files)) {
    await fs.mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await fs.writeFile(path.join(folder, name), content)
  }
  return {
    folder,
    url: pathToFileURL(`${folder}/`),
    [Symbol.asyncDispose]: () => fs.rm(folder, { recursive: true, force: true }),
  }
}

describe('a mounted feed', () => {
  it.each([
    ['small', 'hello'],
    ['large', 'large '.repeat(500_000)],
  ])('gives a %s file', async (_, content) => {
    await using medium = await makeMedium({ 'Packages/a+b c.rpm': content })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(medium.url), never)

    const result = await client.fetch(wantedFile('Packages/a+b c.rpm', promiseOf(content)), null, never)

    expect(await bench.read(result)).toBe(content)
  })

  it('says unchanged while size and time are the same', async () => {
    await using medium = await makeMedium({ file: 'one' })
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(medium.url), never)
    const first = await client.fetch(wantedFile('file'), null, never)
    const validators = first.status === 'fetched' ? first.validators : null

    const second = await client.fetch(wantedFile('file'), validators, never)
    await fs.writeFile(path.join(medium.folder, 'file'), 'three')
    const third = await client.fetch(wantedFile('file'), validators, never)

    expect(second).toEqual({ status: 'unchanged' })
    expect(await bench.read(third)).toBe('three')
  })

  it('is not taken for another whose file has the same size and time', async () => {
    await using medium = await makeMedium({ file: 'one' })
    await using next = await makeMedium({ file: 'two' })
    for (const { folder } of [medium, next]) await fs.utimes(path.join(folder, 'file'), 1, 1)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(medium.url), never)
    const other = await bench.downloader.open(accessTo(next.url), never)
    const first = await client.fetch(wantedFile('file'), null, never)

    const result = await other.fetch(
      wantedFile('file'),
      first.status === 'fetched' ? first.validators : null,
      never,
    )

    expect(await bench.read(result)).toBe('two')
  })

  it.each([
    ['a missing file', 'missing', {}, 'NOT_FOUND'],
    ['a folder', 'folder', {}, 'NOT_FOUND'],
    ['a path longer than any', `${'a/'.repeat(2040)}x`, {}, 'NOT_FOUND'],
    ['links in a circle', 'circle', {}, 'NOT_FOUND'],
    ['wrong bytes', 'file', promiseOf('wrong'), 'CHECKSUM_MISMATCH'],
    ['a wrong size', 'file', { size: 99 }, 'CHECKSUM_MISMATCH'],
    ['more than the limit', 'file', { maxSize: 2 }, 'SIZE_LIMIT'],
    ['a way out', '../x', {}, 'PATH_UNSAFE'],
  ])('fails on %s', async (_, location, expectation, code) => {
    await using medium = await makeMedium({ file: 'right', 'folder/x': '' })
    await fs.symlink('circle', path.join(medium.folder, 'circle'))
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(medium.url), never)
    const file = { ...wantedFile('file', expectation), location }

    await expect(client.fetch(file, null, never)).rejects.toMatchObject({ code })

    expect(bench.waits).toEqual([])
  })

  it.each([
    ['is missing', true],
    ['is an empty mount point', false],
  ])('says so where the folder %s', async (_, isRemoved) => {
    await using medium = await makeMedium({})
    if (isRemoved) await fs.rmdir(medium.folder)
    await using bench = await startDownloadBench()
    const client = await bench.downloader.open(accessTo(medium.url), never)

    const failing = client.fetch(wantedFile('file'), null, never)

    await expect(failing).rejects.toMatchObject({
      code: 'UPSTREAM_UNREACHABLE',
      hint: expect.stringContaining('Mount'),
    })
  })

  it('is left for the next where it is absent', async () => {
    await using medium = await makeMedium({ file: 'right' })
    await using bench = await startDownloadBench()
    const absent = new URL('file:///no/such/folder/')
    const client = await bench.downloader.open(accessTo([absent, medium.url]), never)

    const result = await client.fetch(wantedFile('file'), null, never)

    expect(await bench.read(result)).toBe('right')
    expect(bench.warnings('MIRROR_FAILED')).toHaveLength(1)
  })
})
