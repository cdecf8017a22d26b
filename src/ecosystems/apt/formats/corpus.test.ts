import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decompress } from '../../../codec/compression.ts'
import { classifyIndexPath } from './index-path.ts'
import { parsePackagesStanza } from './packages-stanza.ts'
import { parseRelease } from './release.ts'
import { parseSourcesStanza } from './sources-stanza.ts'
import { parseStanza } from './stanza.ts'
import { readStanzas } from './stanza-reader.ts'
import { replaceField, serializeStanza } from './stanza-writer.ts'

const corpus = '../shared/corpus/apt'

const files = existsSync(corpus)
  ? readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter((path) => !path.includes('by-hash'))
  : []

/** Made to be wrong: an MD5 checksum under `SHA256`, of an index that says “lala”. */
const broken = 'aptly-fixtures/test_release/dists/hardy'

const named = (pattern: RegExp) =>
  files.filter((path) => pattern.test(basename(path)) && !path.startsWith(`${broken}/`)).sort()

/** What is signed, without checking that it is. */
function signedText(path: string): string {
  const text = readFileSync(join(corpus, path), 'utf8')
  const body = /^-----BEGIN PGP SIGNED MESSAGE-----\n(?:.+\n)*\n([\s\S]*?\n)-----BEGIN PGP SIGNATURE/.exec(
    text,
  )
  return body === null ? text : (body[1] ?? '').replace(/^- /gm, '')
}

async function stanzasOf(path: string): Promise<readonly Uint8Array[]> {
  const plain = decompress(createReadStream(join(corpus, path)), { maxSize: 2 ** 30 })
  const found: Uint8Array[] = []
  for await (const batch of readStanzas(plain, path)) found.push(...batch)
  return found
}

async function plainSize(path: string): Promise<number> {
  let size = 0
  for await (const chunk of decompress(createReadStream(join(corpus, path)), { maxSize: 2 ** 30 }))
    size += chunk.byteLength
  return size
}

/** Every index of the corpus is written with single empty lines, one of them after the last stanza or none. */
function sizeOf(stanzas: readonly Uint8Array[]): readonly number[] {
  const size = stanzas.reduce((sum, bytes) => sum + bytes.byteLength + 1, 0)
  return [size, Math.max(size - 1, 0)]
}

describe.skipIf(files.length === 0)('the corpus', () => {
  it.each(named(/^(?:In)?Release$/))('reads %s', (path) => {
    const release = parseRelease(signedText(path), path)

    expect(release.fields.length + release.files.size).toBeGreaterThan(0)
    const isOfIndex = classifyIndexPath(path).component !== '' && /\/binary-|\/source\//.test(path)
    if (!isOfIndex) expect(release.date).not.toBeNull()
    const unknown = [...release.files.keys()].filter((listed) => classifyIndexPath(listed).kind === 'other')
    expect(unknown).toEqual([])
  })

  it('refuses what is broken', async () => {
    const release = `${broken}/Release`
    const index = `${broken}/main/binary-amd64/Packages`
    const [stanza = Buffer.alloc(0)] = await stanzasOf(index)

    expect(() => parseRelease(signedText(release), release)).toThrow(
      '"main/binary-amd64/Packages" has an unusable checksum',
    )
    expect(() => parsePackagesStanza(stanza, index)).toThrow('a line is no field: "lala"')
  })

  it.each(named(/^Packages(?:\.\w+)?$/))('reads and keeps %s', async (path) => {
    const stanzas = await stanzasOf(path)

    expect(sizeOf(stanzas)).toContain(await plainSize(path))
    for (const bytes of stanzas) {
      const { name, filename, size } = parsePackagesStanza(bytes, path)
      const stanza = parseStanza(bytes, path)
      expect([stanza.get('package'), stanza.get('FILENAME'), stanza.get('Size')]).toEqual([
        name,
        filename,
        String(size),
      ])
      for (const field of stanza.fields) expect(replaceField(bytes, field.name, field.value)).toBe(bytes)
      const moved = replaceField(bytes, 'Filename', 'elsewhere')
      expect(parseStanza(moved).get('Filename')).toBe('elsewhere')
      expect(Buffer.from(bytes).equals(replaceField(moved, 'Filename', filename))).toBe(true)
    }
  })

  it.each(named(/^Sources(?:\.\w+)?$/))('reads %s', async (path) => {
    const stanzas = await stanzasOf(path)

    expect(sizeOf(stanzas)).toContain(await plainSize(path))
    for (const bytes of stanzas) {
      const { files: listed } = parseSourcesStanza(bytes, path)
      expect(listed[0]?.name).toMatch(/\.dsc$/)
      expect(listed.length).toBeGreaterThan(1)
    }
  })

  it.each(named(/^Translation-/))('writes the stanzas of %s as they are', async (path) => {
    for (const bytes of await stanzasOf(path)) {
      const { fields } = parseStanza(bytes, path)
      const written = serializeStanza(fields.map(({ name, value }) => [name, value]))
      expect(written).toBe(Buffer.from(bytes).toString())
    }
  })
})
