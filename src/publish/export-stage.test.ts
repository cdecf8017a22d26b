import * as fs from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseRelativePath } from '../core/path.ts'
import { at, bash, epel, latest, pathsBelow, Site, sha256, treeOf } from './publications.test-support.ts'

describe('exporting', () => {
  it.each(['dangling/deep/x', 'file/x', '/proc/absent/x'])(
    'is refused where no folder can be made: %s',
    async (name) => {
      await using site = await Site.create()
      await fs.symlink('absent/disk', path.join(site.folder, 'dangling'))
      await fs.writeFile(path.join(site.folder, 'file'), '')

      await expect(
        site.publications.exportTo(path.resolve(site.folder, name), at('10:00:00')),
      ).rejects.toMatchObject({ code: 'NOT_WRITABLE', hint: expect.stringContaining('Is the disk mounted?') })
    },
  )

  it('writes an equal tree with no link in it', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash', 'flat.rpm': 'flat' })
    const target = path.join(site.folder, 'media/epel9')

    await using stage = await site.publications.exportTo(target, at('10:00:00'))
    await stage.place(await site.stored(bash, 'bash'), epel)
    await stage.place(await site.stored('flat.rpm', 'flat'), epel)
    for (const file of Object.entries(await treeOf(site.absolute(`${latest}/repodata`)))) {
      await stage.write(parseRelativePath(`repodata/${file[0]}`), file[1], 'entry')
    }
    const repomd = parseRelativePath('repodata/repomd.xml')
    const alias = parseRelativePath('by-hash/repomd.xml')
    await stage.alias(alias, repomd, 'plain')
    const generation = await stage.commit()

    expect(generation.files).toBe(5)
    const tree = await treeOf(site.absolute(latest))
    expect(await treeOf(target)).toEqual({ ...tree, [alias]: tree[repomd] })
    expect((await fs.stat(path.join(target, alias))).mtime).toEqual(at('10:00:00'))
    expect(await pathsBelow(path.join(site.folder, 'media'))).not.toContain(
      expect.stringContaining('.epel9.'),
    )
    for (const file of await pathsBelow(target)) {
      const stat = await fs.lstat(path.join(target, file))
      expect(stat.isSymbolicLink()).toBe(false)
      if (stat.isFile()) expect([stat.nlink, stat.mode & 0o777]).toEqual([1, 0o644])
      else expect(stat.mode & 0o777).toBe(0o755)
    }
  })

  it('takes an empty folder, refuses one that is not, and leaves nothing when it fails', async () => {
    await using site = await Site.create()
    const target = path.join(site.folder, 'media')
    await fs.mkdir(target)
    {
      await using stage = await site.publications.exportTo(target, at('10:00:00'))
      await expect(
        stage.place({ path: parseRelativePath('x'), digest: sha256('x'), size: 1 }, epel),
      ).rejects.toMatchObject({ code: 'BLOB_MISSING', details: { path: 'x' } })
    }
    const left = await fs.readdir(site.folder)
    await using stage = await site.publications.exportTo(target, at('10:00:00'))
    await stage.write(parseRelativePath('README'), 'text', 'plain')
    await stage.commit()

    expect(left.sort()).toEqual(['media', 'pool', 'published'])
    expect(await treeOf(target)).toEqual({ README: 'text' })
    await expect(site.publications.exportTo(target, at('10:00:00'))).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
  })
})
