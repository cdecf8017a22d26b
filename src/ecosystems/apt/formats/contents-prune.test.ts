import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { aptCorpus, gather, inChunks, isSubsequence } from './bytes.test-support.ts'
import { pruneContents } from './contents-prune.ts'

const keepsAll = (): boolean => true
const only =
  (...names: string[]) =>
  (name: string): boolean =>
    names.includes(name)

async function prune(
  content: string | Uint8Array,
  keeps: (name: string) => boolean,
  size?: number,
): Promise<Buffer> {
  const { bytes } = await gather(pruneContents(inChunks(content, size), keeps))
  return bytes
}

/** As dak wrote it in front until 2016. */
const header = `This file maps each file available in the Debian GNU/Linux system to
the package from which it originates.

 $ grep nose Contents
 etc/nosendfile                                          net/sendfile

FILE                                                    LOCATION
`

describe('pruneContents', () => {
  it('keeps lines of published packages, with the blanks between their columns', async () => {
    const content = 'bin/a          utils/a\nbin/b\tutils/b\nusr/c \t  contrib/net/c\n'

    const pruned = await prune(content, only('a', 'c'))

    expect(pruned.toString()).toBe('bin/a          utils/a\nusr/c \t  contrib/net/c\n')
  })

  it.each([
    ['at the start', 'f  x/b,x/a,x/c\n', 'f  x/a,x/c\n'],
    ['in the middle', 'f  x/a,area/x/b,x/c\n', 'f  x/a,x/c\n'],
    ['at the end', 'f  x/a,c,b\n', 'f  x/a,c\n'],
    ['before a carriage return', 'f  x/a,x/b\r\n', 'f  x/a\r\n'],
    ['before blanks', 'f  x/a,x/b  \ng x/a\n', 'f  x/a  \ng x/a\n'],
    ['without a line break after it', 'f  x/b,x/a', 'f  x/a'],
  ])('takes a package out of a list %s', async (_, content, expected) => {
    const pruned = await prune(content, only('a', 'c'))

    expect(pruned.toString()).toBe(expected)
  })

  it('takes the last column for the list, since paths may hold blanks and commas', async () => {
    const content = 'usr/share/a file, of b   x/a\nusr/share/b file, of a   x/b\n'

    const pruned = await prune(content, only('a'))

    expect(pruned.toString()).toBe('usr/share/a file, of b   x/a\n')
  })

  it('reads lists without sections, as those of sources are', async () => {
    const pruned = await prune(
      '.clang-format\tsamba\nChangeLog\topenssh,samba,tzdata\n',
      only('openssh', 'tzdata'),
    )

    expect(pruned.toString()).toBe('ChangeLog\topenssh,tzdata\n')
  })

  it('keeps the header, examples in it included', async () => {
    const pruned = await prune(`${header}bin/a  x/a\nbin/b  x/b\n`, only('b'))

    expect(pruned.toString()).toBe(`${header}bin/b  x/b\n`)
  })

  it('keeps a header of titles alone, and one in words of its own', async () => {
    const pruned = [
      await prune('FILE   LOCATION\na x/a\n', only()),
      await prune('Ours.\n\nFILE LOCATION\n', only()),
    ]

    expect(pruned.map(String)).toEqual(['FILE   LOCATION\n', 'Ours.\n\nFILE LOCATION\n'])
  })

  it('takes a file called FILE for a file', async () => {
    const pruned = await prune('FILE  x/location\nother  x/a\n', only('a'))

    expect(pruned.toString()).toBe('other  x/a\n')
  })

  it('keeps names that are not UTF-8 as they are', async () => {
    const content = Buffer.from('usr/\xe4\xff  x/a,x/b\nusr/\xf6  x/b\n', 'latin1')

    const pruned = await prune(content, only('a'))

    expect(pruned.toString('latin1')).toBe('usr/\xe4\xff  x/a\n')
  })

  it('gives nothing where nothing is published', async () => {
    expect((await prune('bin/a  x/a\nbin/b  x/b', only())).length).toBe(0)
    expect((await prune('', keepsAll)).length).toBe(0)
  })

  it('asks once for a list that comes again', async () => {
    const asked: string[] = []

    await prune('1 x/a,x/b\n2 x/c\n3 x/a,x/b\n4 x/a,x/b\n', (name) => asked.push(name) > 0)

    expect(asked).toEqual(['a', 'b', 'c'])
  })

  it('reads lines of up to a mebibyte, and refuses longer ones', async () => {
    const longest = `${'a'.repeat(1024 * 1024 - 5)} x/a\n`

    const pruned = await prune(`b x/b\n${longest}b x/b\n`, only('a'), 100_000)

    expect(pruned.toString()).toBe(longest)
    await expect(prune(`${'a'.repeat(2 * 1024 * 1024)}\n`, keepsAll, 100_000)).rejects.toSatisfy((error) =>
      isChantalError(error, 'SIZE_LIMIT'),
    )
  })

  it('gives chunks that stay as they are while it goes on, of some hundred kibibytes', async () => {
    const content = 'usr/bin/a  x/a\nusr/bin/b  x/b\n'.repeat(60_000)
    const chunks: { readonly chunk: Uint8Array; readonly copy: Buffer }[] = []

    for await (const chunk of pruneContents(inChunks(content, 65_536), only('a')))
      chunks.push({ chunk, copy: Buffer.from(chunk) })

    expect(chunks.length).toBeLessThan(6)
    expect(chunks.every(({ chunk, copy }) => copy.equals(chunk))).toBe(true)
    expect(Buffer.concat(chunks.map(({ chunk }) => chunk)).toString()).toBe('usr/bin/a  x/a\n'.repeat(60_000))
  })

  it('gives back any bytes where all is published', async () => {
    const line = fc.oneof(
      fc.constantFrom('', 'bin/a  x/a', 'a b c\tx/a,y/b', 'FILE   LOCATION', 'alone', ' ', 'x/a\r'),
      fc.string({ unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 20 }), async (lines, size) => {
        const content = Buffer.from(lines.join('\n'))

        expect((await prune(content, keepsAll, size)).equals(content)).toBe(true)
      }),
    )
  })

  it('gives what naive reading of each line gives, in pieces of any size', async () => {
    const list = fc.array(fc.constantFrom('x/a', 'b', 'area/x/c', 'x/d'), { minLength: 1, maxLength: 4 })
    const line = fc.tuple(fc.constantFrom('bin/f', 'usr/a file'), fc.constantFrom(' ', '\t', '   '), list)
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.subarray(['a', 'b', 'c', 'd']),
        fc.integer({ min: 1, max: 50 }),
        async (lines, names, size) => {
          const content = lines
            .map(([path, gap, packages]) => `${path}${gap}${packages.join(',')}\n`)
            .join('')
          const expected = lines.flatMap(([path, gap, packages]) => {
            const left = packages.filter((item) => names.includes(item.replace(/.*\//, '')))
            return left.length > 0 ? [`${path}${gap}${left.join(',')}\n`] : []
          })

          const pruned = await prune(content, only(...names), size)

          expect(pruned.toString()).toBe(expected.join(''))
          expect(isSubsequence(pruned, Buffer.from(content))).toBe(true)
        },
      ),
    )
  })
})

describe.skipIf(!existsSync(aptCorpus))('pruneContents, of real indexes', () => {
  it.each([
    ['debian-bookworm-updates-small/dists/bookworm-updates/main/Contents-amd64.gz', 'samba'],
    ['debian-bookworm-updates-small/dists/bookworm-updates/main/Contents-all.gz', 'tzdata'],
    ['debian-bookworm-updates-small/dists/bookworm-updates/main/Contents-source.gz', 'openssl'],
    ['rxiv-maker/dists/stable/main/Contents-amd64.gz', 'rxiv-maker'],
  ])('keeps %s whole, or one package of it', async (path, name) => {
    const content = gunzipSync(readFileSync(`${aptCorpus}/${path}`))

    const whole = await prune(content, keepsAll, 10_000)
    const part = await prune(content, only(name), 10_000)

    expect(whole.equals(content)).toBe(true)
    expect(part.length).toBeGreaterThan(0)
    for (const line of part.toString().trimEnd().split('\n')) {
      expect(line.replace(/.*[\s/]/, '')).toBe(name)
    }
  })
})
