import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../../../core/bytes.ts'
import { isChantalError } from '../../../core/errors.ts'
import { readDeltas } from './deltainfo.ts'

const corpus = '../shared/corpus/rpm'

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

async function* whole(content: string | Uint8Array): ByteSource & AsyncGenerator<Uint8Array> {
  yield Buffer.from(content)
}

const delta = (filename: string): string =>
  `<newpackage name="a" version="2" release="1" arch="x86_64"><delta oldepoch="0" oldversion="1" oldrelease="9"><filename>${filename}</filename><size>2087</size><checksum type="sha">${'a'.repeat(40)}</checksum></delta><delta oldversion="0" oldrelease="8"><filename>b.drpm</filename></delta></newpackage>`

describe('readDeltas', () => {
  it.each(['prestodelta', 'deltainfo'])('lists the files of %s', async (root) => {
    const deltas = await collect(readDeltas(whole(`<${root}>${delta('drpms/a.drpm')}</${root}>`)))

    expect(deltas).toEqual([
      {
        path: 'drpms/a.drpm',
        size: 2087,
        checksum: { algorithm: 'sha1', hex: 'a'.repeat(40) },
        makes: 'a-0:2-1.x86_64',
        from: 'a-0:1-9.x86_64',
      },
      { path: 'b.drpm', size: null, checksum: null, makes: 'a-0:2-1.x86_64', from: 'a-0:0-8.x86_64' },
    ])
  })

  it('refuses a file outside the repository', async () => {
    await expect(collect(readDeltas(whole(`<deltainfo>${delta('../a.drpm')}</deltainfo>`)))).rejects.toEqual(
      expect.toSatisfy((error: unknown) => isChantalError(error, 'PATH_UNSAFE')),
    )
  })
})

describe.skipIf(!existsSync(corpus))('deltainfo corpus (../shared/corpus is there)', () => {
  const files = existsSync(corpus)
    ? readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /(?:delta|deltainfo)\.xml\.gz$/.test(name),
      )
    : []

  it.each(files)('reads %s', async (name) => {
    const deltas = await collect(readDeltas(whole(gunzipSync(readFileSync(`${corpus}/${name}`)))))

    expect(deltas.length).toBeGreaterThan(0)
    for (const { path, size, checksum } of deltas) {
      expect(path).toMatch(/\.drpm$/)
      expect(size).toBeGreaterThan(0)
      expect(checksum?.algorithm).toBe('sha256')
    }
  })
})
