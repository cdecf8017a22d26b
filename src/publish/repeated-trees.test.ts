import * as fs from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parseRelativePath } from '../core/path.ts'
import { TreeIncomplete } from '../core/publication.ts'
import { formatManifest } from './manifest-text.ts'
import { at, latest, Site, sha256, treeOf } from './publications.test-support.ts'

const copy = parseRelativePath('copy')
const large = 'x'.repeat(3_000_000)

/** A tree with a file that has two names, and a large one. */
async function publishTree(site: Site): Promise<string> {
  await using stage = await site.publications.begin(latest, at('10:00:00'))
  const list = parseRelativePath('dists/Packages')
  await stage.write(list, 'list', 'plain')
  await stage.alias(parseRelativePath(`dists/by-hash/${sha256('list')}`), list, 'addressed')
  await stage.write(parseRelativePath('large'), large, 'plain')
  return (await stage.commit()).name
}

async function repeat(site: Site, generation: string): Promise<void> {
  await using stage = await site.publications.begin(copy, at('11:00:00'), {
    path: latest,
    generation,
    isRepeated: true,
  })
  await stage.commit()
}

describe('a tree that is repeated', () => {
  it('has the files of before', async () => {
    await using site = await Site.create()

    await repeat(site, await publishTree(site))

    expect(await treeOf(site.absolute(copy))).toEqual(await treeOf(site.absolute(latest)))
  })

  it.each([
    ['dists/Packages', 'Zist'],
    ['large', `${large.slice(1)}y`],
    ['large', 'less'],
  ])('is missed where %s has other bytes than it was published with', async (file, text) => {
    await using site = await Site.create()
    const name = await publishTree(site)
    await fs.writeFile(site.absolute(`${latest}/${file}`), text)

    await expect(repeat(site, name)).rejects.toThrow(TreeIncomplete)
    expect(await site.publications.current(copy)).toBeNull()
  })

  it('can be none where a version published it that kept no checksums', async () => {
    await using site = await Site.create()
    const generation = await publishTree(site)
    const manifest = site.absolute(`repositories/epel9/.generations/latest@${generation}.manifest`)
    const [first = '', ...lines] = (await fs.readFile(manifest, 'utf8')).trimEnd().split('\n')
    const { format, sum, ...header } = JSON.parse(first)
    const before = lines.map((line) => line.replace(/\t[0-9a-f]{64}\t/, '\t-\t'))
    await fs.writeFile(manifest, formatManifest(header, before))

    await using opened = await site.publications.open({ path: latest, generation })
    expect(opened?.isRepeatable).toBe(false)
    await expect(repeat(site, generation)).rejects.toThrow(TreeIncomplete)
  })
})

describe('a file that is to be carried along', () => {
  it('stays behind where it is gone or cut, and stops nobody', async () => {
    await using site = await Site.create()
    const byHash = (text: string) => parseRelativePath(`by-hash/${sha256(text)}`)
    const publish = async (now: string, texts: readonly string[]) => {
      await using stage = await site.publications.begin(latest, at(now))
      for (const text of texts) await stage.write(byHash(text), text, 'addressed')
      await stage.commit()
    }
    await publish('10:00:00', ['kept', 'gone', 'cut'])
    await fs.rm(site.absolute(`${latest}/${byHash('gone')}`))
    await fs.truncate(site.absolute(`${latest}/${byHash('cut')}`), 1)

    await publish('10:10:00', ['new'])

    expect(await treeOf(site.absolute(latest))).toEqual({ [byHash('kept')]: 'kept', [byHash('new')]: 'new' })
  })
})
