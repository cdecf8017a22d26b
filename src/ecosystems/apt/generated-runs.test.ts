import { describe, expect, it } from 'vitest'
import { decompress } from '../../codec/compression.ts'
import { readWhole } from '../../core/bytes.ts'
import type { MemorySink } from '../../publish/memory-sink.ts'
import type { AptAttributes } from './attributes.ts'
import { earlierOf, type Given, type PublishedInMemory, publishInMemory } from './publishing.test-support.ts'

const index = 'dists/stable/main/binary-amd64/Packages'

const attributes: AptAttributes = {
  ...{ suite: 'stable', component: 'main', section: null, priority: null, source: null },
  ...{ kind: 'deb', summary: null, installed_bytes: null, indexes: ['amd64'] },
}

/** Publishes 4000 packages, one of which says `text`. */
function published(text: string, { options = {}, ...given }: Given = {}): Promise<PublishedInMemory> {
  const packages = Array.from({ length: 4000 }, (_, at) => {
    const name = `package-${String(at).padStart(4, '0')}`
    const path = `pool/${name}.deb`
    const said = at === 2000 ? text : 'the same'
    return {
      key: `stable/main/${name}_1_amd64`,
      name,
      path,
      stanza: Buffer.from(`Package: ${name}\nVersion: 1\nFilename: ${path}\nDescription: ${said}\n`),
      attributes,
    }
  })
  return publishInMemory({ ...given, packages, options: { suites: ['stable'], ...options } })
}

async function* once(bytes: Uint8Array) {
  yield bytes
}

const bytesOf = (sink: MemorySink) =>
  new Map(
    sink
      .paths()
      .filter((path) => path.startsWith('dists/'))
      .map((path) => [path, Buffer.from(sink.bytes(path)).toString('base64')]),
  )

describe.each(['gzip', 'zstd'] as const)('an index in %s runs', (compression) => {
  const options = { compression }
  const path = `${index}${compression === 'gzip' ? '.gz' : '.zst'}`

  it('is the same bytes with an earlier tree, with another one, and without', async () => {
    const first = await published('one', { options })
    const second = await published('two', { options, earlier: earlierOf(first) })

    const third = await published('one', { options, earlier: earlierOf(second) })

    expect(bytesOf(third)).toEqual(bytesOf(first))
    expect(bytesOf(second)).toEqual(bytesOf(await published('two', { options })))
    expect(bytesOf(second)).not.toEqual(bytesOf(first))
  })

  it('takes all stanzas but the one that changed from the earlier tree', async () => {
    const first = await published('one', { options })

    const second = await published('two', { options, earlier: earlierOf(first) })

    expect(first.asked).toHaveLength(4000)
    expect(second.asked).toEqual(['stable/main/package-2000_1_amd64'])
    const unpacked = await readWhole(decompress(once(second.bytes(path)), { maxSize: 2 ** 24 }))
    const text = Buffer.from(unpacked).toString()
    expect(text.match(/^Package: /gm)).toHaveLength(4000)
    expect(text.match(/^Description: two$/gm)).toHaveLength(1)
  })
})

it('writes the same tree with xz, which has no runs', async () => {
  const sink = await published('one', { options: { compression: 'xz' } })

  expect(sink.paths()).toContain(`${index}.xz`)
  expect(sink.notes).toEqual(['apt-release\tdists/stable/Release'])
})
