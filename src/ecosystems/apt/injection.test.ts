import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../core/errors.ts'
import { parseRelease } from './formats/release.ts'
import { readStanzas } from './formats/stanza-reader.ts'
import { listedStanzas } from './injection.test-support.ts'
import { publishInMemory } from './publishing.test-support.ts'

const suite = { options: { suites: ['stable'] } }
const base = 'Package: a\nVersion: 1\nArchitecture: amd64\nFilename: pool/a.deb\nSize: 1\n'
const sum = `SHA256: ${'ab'.repeat(32)}\n`

/** Pieces that readers of stanzas have been fooled with. */
const piece = fc.constantFrom(
  ...['\n', '\r', '\r\n', ' ', '\t', '\v', '\f', '\u0085', '\u2028', '\u0000', ' .\n', '\n \n', '\n\r\n'],
  ...[
    'Package: b\n',
    'Filename: ../b.deb\n',
    'Filename: pool/b.deb\n',
    'X',
    ': ',
    'Description: says\n',
    '#',
    '-',
    'é',
  ],
)
const forged = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))

describe('what upstream says of a package', () => {
  it('never becomes another package, nor one that upstream does not list', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(forged, { minLength: 1, maxLength: 3 }), async (texts) => {
        const listed = texts
          .map((text, at) => `${base.replaceAll('a', `a${at}`)}${sum}X-Field: ${text}\n\n`)
          .join('')
        const packages = await listedStanzas(Buffer.from(listed)).catch(refusal)
        if (!packages) return

        const sink = await publishInMemory({ ...suite, packages })

        const text = gunzipSync(sink.bytes('dists/stable/main/binary-amd64/Packages.gz'))
        const again = await listedStanzas(text)
        expect(again.map(({ key, path }) => [key, path])).toEqual(
          packages.map(({ key, path }) => [key, path]).sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
        )
        expect(await count(text)).toBe(packages.length)
      }),
      { numRuns: 300 },
    )
  })
})

/** That a path is refused is as good. */
function refusal(error: unknown): null {
  if (isChantalError(error, 'PATH_UNSAFE')) return null
  throw error
}

async function count(bytes: Uint8Array): Promise<number> {
  let stanzas = 0
  for await (const batch of readStanzas(once(bytes), 'Packages')) stanzas += batch.length
  return stanzas
}

async function* once(bytes: Uint8Array) {
  yield bytes
}

describe('what upstream says of a suite', () => {
  const index = `${'ab'.repeat(32)} 10 main/binary-amd64/Packages.gz`
  const release = (field: string) =>
    `Suite: stable\n${field}\nArchitectures: amd64\nComponents: main\nSHA256:\n ${index}\n`
  const publishedRelease = async (text: string) =>
    (await publishInMemory({ ...suite, files: { 'dists/stable/Release': text } })).text(
      'dists/stable/Release',
    )

  it('stays in its fields, however it is folded, or is not published at all', async () => {
    const names = fc.constantFrom('Description', 'Origin', 'Label', 'Version', 'Changelogs', 'X-Other')
    await fc.assert(
      fc.asyncProperty(names, forged, async (name, text) => {
        const said = release(`${name}: ${text.replace(/\n(?=[^ \t\n])/g, '\n ')}`)
        let before: ReturnType<typeof parseRelease>
        try {
          before = parseRelease(said, 'Release')
        } catch {
          return
        }

        const published = await publishedRelease(said)

        const after = parseRelease(published, 'Release')
        const ours = ['Suite', name, 'Date', 'Acquire-By-Hash', 'Architectures', 'Components']
        expect(after.fields.map((field) => field.name).filter((field) => !ours.includes(field))).toEqual([])
        expect([...after.files.keys()].filter((path) => !path.startsWith('main/'))).toEqual([])
        expect(before.components.length === 0 || after.components.join() === 'main').toBe(true)
        expect(published.split('\n\n')).toHaveLength(1)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    'Signed-By: ABCDEF',
    'signed-by: ABCDEF',
    'SIGNED-BY:\n ABCDEF',
    'Valid-Until: Mon, 05 Jan 2036 00:00:00 UTC',
    'No-Support-for-Architecture-all: Packages',
    'Date: Mon, 05 Jan 2036 00:00:00 UTC',
  ])('is left out where it would lock clients out, or speaks of its own tree: %s', async (field) => {
    const published = await publishedRelease(release(field))

    expect(published).not.toMatch(/ABCDEF|2036|No-Support/)
  })

  it('is left out where its name is none that a Release file may have', async () => {
    const published = await publishedRelease(release('Fo o: x\nÜber: y\nX-Fine: z'))

    expect(published).toMatch(/^X-Fine: z$/m)
    expect(published).not.toMatch(/: [xy]$/m)
  })

  it.each([
    ['Components: ../..', 'PATH_UNSAFE'],
    ['Components: /etc', 'PATH_UNSAFE'],
    ['Components: main/../../x', 'PATH_UNSAFE'],
    ['Components: ma\u2028in', 'UPSTREAM_INVALID'],
    ['Architectures: ../../../../x', 'PATH_UNSAFE'],
    ['Architectures: am\u0085d64', 'UPSTREAM_INVALID'],
  ])('makes no path outside of its folder: %s', async (field, code) => {
    const [name = ''] = field.split(':')
    const text = release('X: y').replace(new RegExp(`^${name}: .*`, 'm'), field)

    await expect(publishedRelease(text)).rejects.toMatchObject({ code })
  })
})
