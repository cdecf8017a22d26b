import * as fs from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Sha256 } from '../core/digest.ts'
import { ChantalError } from '../core/errors.ts'
import { parseRelativePath } from '../core/path.ts'
import { MemorySink } from './memory-sink.ts'
import { publicationSinkContract } from './publication-sink.contract.ts'
import { at, epel, latest, Site, sha256, treeOf } from './publications.test-support.ts'

describe('a generation on disk', () => {
  publicationSinkContract(async () => {
    const site = await Site.create()
    const stage = await site.publications.begin(latest, at('10:00:00'))
    return {
      sink: stage,
      stored: (file, text) => site.stored(file, text),
      async tree() {
        await stage.commit()
        return treeOf(site.absolute(latest))
      },
      [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
    }
  })
})

describe('an exported tree', () => {
  publicationSinkContract(async () => {
    const site = await Site.create()
    const target = path.join(site.folder, 'media')
    const stage = await site.publications.exportTo(target, at('10:00:00'))
    return {
      sink: stage,
      stored: (file, text) => site.stored(file, text),
      async tree() {
        await stage.commit()
        return treeOf(target)
      },
      [Symbol.asyncDispose]: () => fs.rm(site.folder, { recursive: true, force: true }),
    }
  })
})

describe('a tree in memory', () => {
  publicationSinkContract(async () => {
    const blobs = new Map<Sha256, string>()
    const sink = new MemorySink(async function* (digest) {
      const text = blobs.get(digest)
      if (text === undefined) throw new ChantalError('BLOB_MISSING', `not in the pool: ${digest}`)
      yield Buffer.from(text)
    })
    return {
      sink,
      async stored(file, text) {
        blobs.set(sha256(text), text)
        return { path: parseRelativePath(file), digest: sha256(text), size: Buffer.byteLength(text) }
      },
      async tree() {
        const entries = [...sink.files].map(([file, found]) => [
          file,
          found.kind === 'package' ? found.digest : sink.text(file),
        ])
        return Object.fromEntries(entries)
      },
      async [Symbol.asyncDispose]() {},
    }
  })

  it('names what there is when asked for what is not', async () => {
    const sink = new MemorySink()
    await sink.place({ path: parseRelativePath('b.rpm'), digest: sha256('b'), size: 1 }, epel)
    await sink.write(parseRelativePath('a'), 'text', 'plain')

    expect(sink.paths()).toEqual(['a', 'b.rpm'])
    expect(() => sink.text('c')).toThrow('not published: c; there is: a b.rpm')
    expect(() => sink.bytes('b.rpm')).toThrow('a package')
  })
})
