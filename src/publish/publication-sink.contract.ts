import { expect, it } from 'vitest'
import { ChantalError } from '../core/errors.ts'
import type { RepositoryId, StoredFile } from '../core/model.ts'
import { parseRelativePath } from '../core/path.ts'
import type { PublicationSink } from '../core/publication.ts'
import { sha256 } from './publications.test-support.ts'

/** A sink under test, and how to fill its pool and read its tree. */
export interface SinkUnderTest extends AsyncDisposable {
  readonly sink: PublicationSink
  stored(path: string, text: string): Promise<StoredFile>
  /** Ends the tree. Path to content; for a sink that does not read packages, to their digest. */
  tree(): Promise<Readonly<Record<string, string>>>
}

/** What every {@link PublicationSink} does. */
export function publicationSinkContract(open: () => Promise<SinkUnderTest>): void {
  const repository = 'epel9' as RepositoryId
  const readme = parseRelativePath('README')

  it('gives size and the checksums asked for of what was written, however it came', async () => {
    await using test = await open()
    const forms = ['abc', Buffer.from('abc'), pieces('a', 'bc')]

    for (const [index, content] of forms.entries()) {
      const written = await test.sink.write(parseRelativePath(`file-${index}`), content, 'plain', [
        'md5',
        'sha1',
        'sha256',
        'sha512',
      ])

      expect(written).toEqual({
        path: `file-${index}`,
        size: 3,
        checksums: [
          { algorithm: 'md5', hex: '900150983cd24fb0d6963f7d28e17f72' },
          { algorithm: 'sha1', hex: 'a9993e364706816aba3e25717850c26c9cd0d89d' },
          { algorithm: 'sha256', hex: sha256('abc') },
          { algorithm: 'sha512', hex: expect.stringMatching(/^ddaf35a193617abacc417349ae204131/) },
        ],
      })
    }
    expect(await test.tree()).toEqual({ 'file-0': 'abc', 'file-1': 'abc', 'file-2': 'abc' })
  })

  it('gives the SHA-256 where no checksum is asked for, and no other one where one is', async () => {
    await using test = await open()

    const usual = await test.sink.write(readme, 'abc', 'plain')
    const other = await test.sink.write(readme, 'abc', 'plain', ['sha512'])

    expect(usual.checksums).toEqual([{ algorithm: 'sha256', hex: sha256('abc') }])
    expect(other.checksums.map(({ algorithm }) => algorithm)).toEqual(['sha512'])
  })

  it('writes large and small pieces in their order', async () => {
    await using test = await open()
    const texts = [1, 700_000, 3, 400_000, 200_000, 600_000, 2].map((size, index) =>
      String(index).repeat(size),
    )

    const { size } = await test.sink.write(readme, pieces(...texts), 'plain')

    expect(size).toBe(texts.join('').length)
    expect((await test.tree())[readme] === texts.join('')).toBe(true)
  })

  it('names a file after its own checksum', async () => {
    await using test = await open()

    const written = await test.sink.write(
      ({ checksums, size }) => parseRelativePath(`repodata/${checksums[0]?.hex}-${size}.xml`),
      'abc',
      'addressed',
      ['md5'],
    )

    expect(written.path).toBe('repodata/900150983cd24fb0d6963f7d28e17f72-3.xml')
    expect(await test.tree()).toEqual({ [written.path]: 'abc' })
  })

  it('copies metadata, and takes the same file twice', async () => {
    await using test = await open()
    const file = await test.stored('dists/stable/Release', 'text')
    const pkg = await test.stored('pool/a.deb', 'deb')

    await test.sink.copy(file, 'entry')
    await test.sink.copy(file, 'entry')
    await test.sink.place(pkg, repository)
    await test.sink.place(pkg, repository)

    const tree = await test.tree()
    expect(tree['dists/stable/Release']).toBe('text')
    expect(['deb', pkg.digest]).toContain(tree['pool/a.deb'])
    expect(Object.keys(tree)).toHaveLength(2)
  })

  it('shows a file under another path as well, whether it was written, copied or such a file itself', async () => {
    await using test = await open()
    const byHash = (text: string) => parseRelativePath(`by-hash/SHA256/${sha256(text)}`)
    const copied = await test.stored('Release', 'copied')
    await test.sink.copy(copied, 'entry')
    await test.sink.write(parseRelativePath('Packages'), 'written', 'plain')

    await test.sink.alias(byHash('copied'), copied.path, 'addressed')
    await test.sink.alias(byHash('written'), parseRelativePath('Packages'), 'addressed')
    await test.sink.alias(readme, byHash('written'), 'plain')
    // Equal indexes of two architectures have one name by hash.
    await test.sink.alias(byHash('written'), readme, 'addressed')

    expect(await test.tree()).toEqual({
      Release: 'copied',
      Packages: 'written',
      README: 'written',
      [byHash('copied')]: 'copied',
      [byHash('written')]: 'written',
    })
  })

  it('refuses another path for what is no file of its own, and one that has other bytes', async () => {
    await using test = await open()
    const other = parseRelativePath('other')
    await test.sink.write(readme, 'text', 'plain')
    await test.sink.write(other, 'other', 'plain')

    await expect(test.sink.alias(parseRelativePath('a'), parseRelativePath('b'), 'plain')).rejects.toThrow(
      'neither written nor copied: b',
    )
    await expect(test.sink.alias(other, readme, 'plain')).rejects.toEqual(
      expect.objectContaining({ code: 'ALREADY_EXISTS' }),
    )
    expect(await test.tree()).toEqual({ README: 'text', other: 'other' })
  })

  it('writes several files at once, also where they come to have one name', async () => {
    await using test = await open()
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index % 10}`)

    const written = await Promise.all(
      texts.map((text) =>
        test.sink.write(
          ({ checksums }) => parseRelativePath(`new/folder/${checksums[0]?.hex}`),
          pieces(...text),
          'addressed',
        ),
      ),
    )

    expect(written.map((file) => file.path)).toEqual(texts.map((text) => `new/folder/${sha256(text)}`))
    expect(await test.tree()).toEqual(
      Object.fromEntries(texts.map((text) => [`new/folder/${sha256(text)}`, text])),
    )
  })

  it('refuses other bytes for a path, however they come', async () => {
    await using test = await open()
    const other = await test.stored('README', 'other')
    const exists = expect.objectContaining({ code: 'ALREADY_EXISTS' })
    await test.sink.write(readme, 'text', 'plain')

    await expect(test.sink.write(readme, 'other', 'plain')).rejects.toEqual(exists)
    await expect(test.sink.write(() => readme, 'other', 'plain')).rejects.toEqual(exists)
    await expect(test.sink.copy(other, 'plain')).rejects.toEqual(exists)
    await expect(test.sink.place(other, repository)).rejects.toEqual(exists)
    expect(await test.tree()).toEqual({ README: 'text' })
  })

  it('has no bytes for what the pool has not', async () => {
    await using test = await open()

    const copying = test.sink.copy({ path: readme, digest: sha256('absent'), size: 6 }, 'plain')

    await expect(copying).rejects.toEqual(expect.objectContaining({ code: 'BLOB_MISSING' }))
    await expect(copying).rejects.toBeInstanceOf(ChantalError)
  })

  it('passes on the error of a source that breaks off', async () => {
    await using test = await open()

    await expect(test.sink.write(readme, broken(), 'plain')).rejects.toThrow('broke off')
  })

  it('has nothing of a file whose source broke off, and is finished without it', async () => {
    await using test = await open()
    await test.sink.write(() => readme, broken(), 'plain').catch(() => {})

    await test.sink.write(parseRelativePath('other'), 'abc', 'plain')

    expect(await test.tree()).toEqual({ other: 'abc' })
  })
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('begin')
  throw new Error('broke off')
}
