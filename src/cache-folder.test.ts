import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCacheFolder } from './cache-folder.ts'

const uid = process.geteuid?.() ?? -1
let home: string

beforeEach(async () => {
  home = await realpath(await mkdtemp(path.join(tmpdir(), 'chantal-home-')))
})
afterEach(() => rm(home, { recursive: true, force: true }))

/** Opened, and where it leads. */
async function opened(environment: NodeJS.ProcessEnv): Promise<string | null> {
  const folder = openCacheFolder(environment, uid)
  return folder && path.relative(home, await realpath(folder))
}

describe('the cache folder', () => {
  it.each<[environment: (home: string) => NodeJS.ProcessEnv, folder: string]>([
    [(home) => ({ HOME: home }), '.cache/chantal'],
    [(home) => ({ HOME: home, XDG_CACHE_HOME: '' }), '.cache/chantal'],
    [(home) => ({ HOME: home, XDG_CACHE_HOME: 'relative' }), '.cache/chantal'],
    [(home) => ({ HOME: home, XDG_CACHE_HOME: path.join(home, 'caches') }), 'caches/chantal'],
    [(home) => ({ XDG_CACHE_HOME: path.join(home, 'caches') }), 'caches/chantal'],
  ])('with %s is %s, made for its user alone', async (environment, folder) => {
    expect(await opened(environment(home))).toBe(folder)
    expect(await opened(environment(home))).toBe(folder)

    for (const made of [folder, path.dirname(folder)])
      expect((await stat(path.join(home, made))).mode & 0o777).toBe(0o700)
  })

  it.each<[what: string, environment: (home: string) => NodeJS.ProcessEnv]>([
    ['there is no home', () => ({})],
    ['the home is a relative path', () => ({ HOME: 'relative' })],
    ['the home does not exist', (home) => ({ HOME: path.join(home, 'absent') })],
    ['nothing can be made in the home', () => ({ HOME: '/proc/self' })],
  ])('is none where %s', async (_, environment) => {
    expect(openCacheFolder(environment(home), uid)).toBeNull()

    expect(await readdir(home)).toEqual([])
  })

  it('is none where it belongs to another user', async () => {
    await mkdir(path.join(home, '.cache/chantal'), { recursive: true, mode: 0o700 })

    expect(openCacheFolder({ HOME: home }, uid + 1)).toBeNull()
  })

  it.each(['777', '770', '707', '1777', '755'])(
    'is none where others may enter it: mode %s',
    async (mode) => {
      await mkdir(path.join(home, '.cache/chantal'), { recursive: true })
      await chmod(path.join(home, '.cache/chantal'), mode)

      expect(openCacheFolder({ HOME: home }, uid)).toBeNull()
    },
  )

  it('is none where a link or a file has its name', async () => {
    await mkdir(path.join(home, '.cache'))
    await mkdir(path.join(home, 'private'), { mode: 0o700 })
    await symlink('../private', path.join(home, '.cache/chantal'))
    await mkdir(path.join(home, 'caches'))
    await writeFile(path.join(home, 'caches/chantal'), '')

    expect(openCacheFolder({ HOME: home }, uid)).toBeNull()
    expect(openCacheFolder({ XDG_CACHE_HOME: path.join(home, 'caches') }, uid)).toBeNull()
  })

  it('stays the one that was looked at, whatever takes its place', async () => {
    const folder = openCacheFolder({ HOME: home }, uid)
    await rename(path.join(home, '.cache'), path.join(home, 'moved'))
    await mkdir(path.join(home, '.cache/chantal'), { recursive: true })
    await writeFile(path.join(home, '.cache/chantal/another'), '')

    expect(await readdir(folder ?? '')).toEqual([])
    await writeFile(path.join(folder ?? '', 'written'), '')
    expect(await readdir(path.join(home, 'moved/chantal'))).toEqual(['written'])
  })
})
