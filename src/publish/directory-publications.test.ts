import * as fs from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath } from '../core/path.ts'
import type { Pool } from '../pool/pool.ts'
import {
  at,
  bash,
  epel,
  exists,
  hour,
  latest,
  pathsBelow,
  Site,
  sha256,
  treeOf,
  zsh,
} from './publications.test-support.ts'

describe('publishing', () => {
  it('shows clients the whole tree under one relative link', async () => {
    await using site = await Site.create()

    const generation = await site.publish(at('10:15:00'), { [bash]: 'bash', [zsh]: 'zsh' })

    expect(generation).toMatchObject({ name: '20261123T101500Z-1', files: 4, publishedAt: at('10:15:00') })
    expect(await fs.readlink(site.absolute(latest))).toBe('.generations/latest@20261123T101500Z-1')
    expect(await fs.readlink(site.absolute(`${latest}/Packages`))).toBe(
      '../../../../.shelves/epel9/1/Packages',
    )
    const list = `repodata/${sha256(`${bash}\n${zsh}`)}-primary.txt`
    expect(await treeOf(site.absolute(latest))).toEqual({
      [bash]: 'bash',
      [zsh]: 'zsh',
      [list]: `${bash}\n${zsh}`,
      'repodata/repomd.xml': `${list}\n`,
    })
    expect(await site.publications.current(latest)).toMatchObject({ name: generation.name, files: 4 })
    expect(await site.publications.list()).toEqual([latest])
  })

  it('makes package files the same files as in the pool, and none for what the shelf has', async () => {
    await using site = await Site.create()

    const first = await site.publish(at('10:00:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    const again = await site.publish(at('11:00:00'), { [bash]: 'bash', [zsh]: 'zsh' })
    const other = await site.publish(at('12:00:00'), { [bash]: 'bash', 'Packages/n/new.rpm': 'new' })
    const snapshot = await site.publish(
      at('12:00:00'),
      { [bash]: 'bash' },
      { at: 'repositories/epel9/snapshots/s1' },
    )

    expect([first, again, other, snapshot].map(({ packageLinks }) => packageLinks)).toEqual([2, 0, 1, 0])
    expect((await fs.stat(site.absolute(`${latest}/${bash}`))).nlink).toBe(2)
  })

  it('knows in a later process what the shelf has', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash' })

    const later = await site.publish(
      at('11:00:00'),
      { [bash]: 'bash' },
      { publications: await site.reopened() },
    )

    expect(later.packageLinks).toBe(0)
  })

  it('links packages beside metadata, and those of several repositories in one folder, one by one', async () => {
    await using site = await Site.create()
    await using stage = await site.publications.begin(latest, at('10:00:00'))
    await stage.place(await site.stored('flat.deb', 'flat'), epel)
    await stage.place(await site.stored('pool/a/one.deb', 'one'), epel)
    await stage.place(await site.stored('pool/a/two.deb', 'two'), 'other' as RepositoryId)
    await stage.place(await site.stored('pool/b/three.deb', 'three'), 'other' as RepositoryId)
    await stage.write(parseRelativePath('Packages'), 'list', 'entry')

    await stage.commit()

    expect(stage.packageLinks).toBe(4)
    expect(await fs.readlink(site.absolute(`${latest}/pool/b`))).toBe(
      '../../../../../.shelves/other/1/pool/b',
    )
    expect((await fs.lstat(site.absolute(`${latest}/pool/a`))).isDirectory()).toBe(true)
    expect(await treeOf(site.absolute(latest))).toEqual({
      Packages: 'list',
      'flat.deb': 'flat',
      'pool/a/one.deb': 'one',
      'pool/a/two.deb': 'two',
      'pool/b/three.deb': 'three',
    })
  })

  it('opens the next shelf where a file was replaced in place, and leaves the old one as it was', async () => {
    await using site = await Site.create()
    const old = await site.publish(at('10:00:00'), { [bash]: 'old', [zsh]: 'zsh' })

    const replaced = await site.publish(at('11:00:00'), { [bash]: 'new', [zsh]: 'zsh' })
    const snapshot = await site.publish(
      at('11:00:00'),
      { [bash]: 'old' },
      { at: 'repositories/epel9/snapshots/s1' },
    )

    expect(await site.read(bash)).toBe('new')
    expect(await site.read(bash, `repositories/epel9/.generations/latest@${old.name}`)).toBe('old')
    expect(await site.read(bash, 'repositories/epel9/snapshots/s1')).toBe('old')
    expect([replaced.packageLinks, snapshot.packageLinks]).toEqual([2, 0])
    expect(await fs.readlink(site.absolute(`${latest}/Packages`))).toContain('/.shelves/epel9/2/')
  })

  it('takes along to the next shelf what clients of the generation before look for, for the grace period', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'old', [zsh]: 'zsh', 'flat.rpm': 'flat' })

    await site.publish(at('11:00:00'), { [bash]: 'new' })
    const midway = [await site.read(zsh), await site.read('flat.rpm')]
    await site.publications.prune(latest, { keep: 1, graceMs: hour, now: at('12:00:00') })
    await site.publish(at('12:00:00'), { [bash]: 'new' })

    expect(midway).toEqual(['zsh', 'flat'])
    expect(Object.keys(await treeOf(site.absolute(latest)))).toEqual([
      bash,
      expect.stringMatching('^repodata/.*-primary.txt$'),
      'repodata/repomd.xml',
    ])
  })

  it('opens the next shelf where a file became a folder', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { 'Packages/b': 'a file' })

    await site.publish(at('11:00:00'), { [bash]: 'bash' })
    await site.publish(at('12:00:00'), { 'Packages/b': 'a file' })

    expect(await site.read('Packages/b')).toBe('a file')
  })

  it('gives copied and written files of their own the publish time, and packages that of the pool', async () => {
    await using site = await Site.create()
    const image = await site.stored('images/boot.iso', 'boot')
    await using stage = await site.publications.begin(latest, at('10:00:00.700'))
    await stage.copy(image, 'plain')
    await stage.write(parseRelativePath('streamed'), chunks('a', 'b'), 'plain')
    await stage.commit()

    const copied = await fs.stat(site.absolute(`${latest}/images/boot.iso`))

    expect(stage.publishedAt).toEqual(at('10:00:00'))
    expect([copied.mtime, copied.nlink]).toEqual([at('10:00:00'), 1])
    expect((await fs.stat(site.absolute(`${latest}/streamed`))).mtime).toEqual(at('10:00:00'))
    expect(await site.read('streamed')).toBe('ab')
  })

  it('is readable by everybody under any umask', async () => {
    await using site = await Site.create()
    const before = process.umask(0o077)
    try {
      const root = path.join(site.folder, 'made/published')
      const { openPublications } = await import('./directory-publications.ts')
      const publications = await openPublications({ root, pool: site.pool, graceMs: hour })
      await site.publish(at('10:00:00'), { [bash]: 'bash' }, { publications })
      await site.publish(at('11:00:00'), { [bash]: 'new', 'flat.rpm': 'flat' }, { publications })
      const odd: string[] = []
      for (const file of ['', ...(await pathsBelow(path.join(site.folder, 'made')))]) {
        const stat = await fs.lstat(path.join(site.folder, 'made', file))
        const mode = stat.mode & 0o777
        const wanted = stat.isDirectory() ? [0o755] : [0o644, 0o444]
        if (!stat.isSymbolicLink() && !wanted.includes(mode)) odd.push(`${file} ${mode.toString(8)}`)
      }

      expect(odd).toEqual([])
    } finally {
      process.umask(before)
    }
  })

  it('copies where the file system has no hard links', async () => {
    await using site = await Site.create({ wrap: copyingPool })

    const first = await site.publish(at('10:00:00'), { [bash]: 'bash', 'flat.rpm': 'flat' })
    const again = await site.publish(at('11:00:00'), { [bash]: 'bash', 'flat.rpm': 'flat' })

    expect(await site.read(bash)).toBe('bash')
    expect(await site.read('flat.rpm')).toBe('flat')
    expect((await fs.stat(site.absolute(`${latest}/${bash}`))).nlink).toBe(1)
    expect([first.packageLinks, again.packageLinks]).toEqual([2, 1])
  })

  it('never shows a reader a mixture, while fifty generations follow each other', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), { [bash]: 'bash 0' })
    const lost: string[] = []
    let isDone = false
    let reads = 0
    const reader = async () => {
      while (!isDone) {
        const list = (await site.read('repodata/repomd.xml')).trim()
        const text = await site.read(list).catch(() => null)
        if (text === null) lost.push(list)
        for (const file of text?.split('\n') ?? []) await site.read(file).catch(() => lost.push(file))
        reads += 1
        await nextTurn()
      }
    }
    const reading = reader()

    for (let round = 1; round <= 50; round++) {
      const packages = { [`Packages/b/bash-${round}.rpm`]: `bash ${round}`, [bash]: `bash ${round % 3}` }
      await site.publish(at('10:00:00'), packages)
      await site.publications.prune(latest, { keep: 2, graceMs: hour, now: at('10:00:00') })
    }
    isDone = true
    await reading

    expect(lost).toEqual([])
    expect(reads).toBeGreaterThan(1)
  }, 60_000)
})

describe('publish times', () => {
  it('rise strictly, also when the clock goes back and when generations are gone', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), {})
    await site.publish(at('10:00:00'), {})
    await site.publish(at('09:00:00'), {})
    await site.publications.remove(latest)

    const after = await site.publish(at('08:00:00'), {}, { publications: await site.reopened() })

    expect(after.name).toBe('20261123T100003Z-1')
  })

  it('rise for a generation that repeats an older one', async () => {
    await using site = await Site.create()
    const first = await site.publish(at('10:00:00'), { [bash]: 'bash', 'flat.rpm': 'flat' })
    const before = await treeOf(site.absolute(latest))
    await site.publish(at('11:00:00'), { [bash]: 'other', 'flat.rpm': 'other' })

    await using stage = await site.publications.begin(latest, at('10:30:00'), {
      path: latest,
      generation: first.name,
      isRepeated: true,
    })
    const back = await stage.commit()

    const { [`repodata/${sha256(`${bash}\nflat.rpm`)}-primary.txt`]: carried, ...tree } = before
    expect(carried).toBe(`${bash}\nflat.rpm`)
    expect(await treeOf(site.absolute(latest))).toMatchObject(tree)
    expect(back).toEqual({ name: '20261123T110001Z-1', files: first.files, publishedAt: at('11:00:01') })
    expect((await fs.stat(site.absolute(`${latest}/repodata/repomd.xml`))).mtime).toEqual(at('11:00:01'))
    expect((await site.publications.generations(latest)).map(({ name }) => name)).toEqual([
      '20261123T110001Z-1',
      '20261123T110000Z-1',
      '20261123T100000Z-1',
    ])
  })

  it('are not found where the generation to repeat is not there', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), {})

    await expect(
      site.publications.begin(latest, at('11:00:00'), {
        path: latest,
        generation: '20200101T000000Z-1',
        isRepeated: true,
      }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('what clients midway were told of', () => {
  it('goes along for the grace period, with its old time', async () => {
    await using site = await Site.create({ graceMs: hour })
    const list = `repodata/${sha256(bash)}-primary.txt`
    await site.publish(at('10:00:00'), { [bash]: 'bash' })
    await site.publish(at('12:00:00'), { [zsh]: 'zsh' })
    const wasThere = await fs.stat(site.absolute(`${latest}/${list}`))
    await site.publish(at('12:30:00'), {})
    const isStillThere = await exists(site.absolute(`${latest}/${list}`))

    await site.publish(at('13:00:00'), {})

    expect(wasThere.mtime).toEqual(at('10:00:00'))
    expect(isStillThere).toBe(true)
    expect(await exists(site.absolute(`${latest}/${list}`))).toBe(false)
    expect(await exists(site.absolute(`${latest}/repodata/${sha256(zsh)}-primary.txt`))).toBe(true)
  })

  it('gives way to what the new tree has in its place', async () => {
    await using site = await Site.create()
    await site.publish(at('10:00:00'), {}, { metadata: 'a' })
    await using stage = await site.publications.begin(latest, at('10:01:00'))
    await stage.write(parseRelativePath('a'), 'a file now', 'entry')

    await stage.commit()

    expect(await treeOf(site.absolute(latest))).toEqual({ a: 'a file now' })
  })
})

describe('after a repair of the pool', () => {
  it('replaces the corrupt files that are published', async () => {
    await using site = await Site.create()
    const published = await site.publish(at('10:00:00'), { [bash]: 'bash', 'flat.rpm': 'bash', [zsh]: 'zsh' })
    const file = site.absolute(`${latest}/${bash}`)
    await fs.chmod(file, 0o644)
    await fs.writeFile(file, 'hsab')
    await site.pool.quarantine(sha256('bash'))
    await site.stored(bash, 'bash')

    const troubles = await site.publications.replaceFiles(new Set([sha256('bash')]))

    expect(troubles).toEqual([])
    expect([await site.read(bash), await site.read('flat.rpm')]).toEqual(['bash', 'bash'])
    expect((await fs.stat(file)).nlink).toBe(3)
    expect((await site.publications.current(latest))?.name).toBe(published.name)
  })

  it('makes folders that are gone, and names what else stands in the place of a file', async () => {
    await using site = await Site.create()
    const packages = { [bash]: 'bash', 'a/b.rpm': 'bash', 'flat.rpm': 'bash', [zsh]: 'zsh' }
    const { name } = await site.publish(at('10:00:00'), packages)
    const shelf = site.absolute(`.shelves/${epel}/1`)
    for (const folder of ['Packages', 'a']) await fs.rm(path.join(shelf, folder), { recursive: true })
    await fs.writeFile(path.join(shelf, 'a'), 'a file')
    await fs.rm(site.absolute(`${latest}/flat.rpm`))
    await fs.mkdir(site.absolute(`${latest}/flat.rpm`))

    const troubles = await site.publications.replaceFiles(new Set([sha256('bash'), sha256('zsh')]))

    const reason = 'something else stands in its place'
    expect(troubles).toEqual([
      { path: `.shelves/${epel}/1/a/b.rpm`, reason },
      { path: `repositories/epel9/.generations/latest@${name}/flat.rpm`, reason },
    ])
    expect([await site.read(bash), await site.read(zsh)]).toEqual(['bash', 'zsh'])
    expect((await fs.stat(path.join(shelf, 'Packages'))).mode & 0o777).toBe(0o755)
  })
})

/** A pool on another device than the published folder: what it places are copies. */
function copyingPool(pool: Pool): Pool {
  return new Proxy(pool, {
    get(target, key) {
      if (key === 'place') {
        return async (...[digest, file]: Parameters<Pool['place']>) => {
          await target.place(digest, `${file}.linked`)
          await fs.copyFile(`${file}.linked`, file, fs.constants.COPYFILE_EXCL)
          await fs.rm(`${file}.linked`)
          return 'copy'
        }
      }
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}
