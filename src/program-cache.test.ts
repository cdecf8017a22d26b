import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheName, loadScript } from './program-cache.ts'

const module = path.join(import.meta.dirname, 'program-cache.ts')
let folder: string
let cacheFile: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'chantal-cache-'))
  await mkdir(path.join(folder, 'cache'))
  cacheFile = path.join(folder, 'cache', 'chantal-program-A.repo.sync')
})
afterEach(() => rm(folder, { recursive: true }))

/** A program whose one function is called after it was loaded. Each test has another: V8 knows again what it has seen in this process. */
async function program(): Promise<string> {
  const file = path.join(folder, 'program-A.cjs')
  const code = `(function (exports, require, module, __filename, __dirname) { // ${folder}
    exports.places = [__filename, __dirname, require('node:path').basename(__filename)]
    exports.later = (a) => ${Array.from({ length: 200 }, (_, index) => `a * ${index}`).join(' + ')}
  })`
  await writeFile(file, code)
  return file
}

const later = (loaded: { readonly exports: Readonly<Record<string, unknown>> }): unknown =>
  (loaded.exports['later'] as (a: number) => number)(1)

function changed(kept: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(kept)
  change(copy)
  return copy
}

describe('a script', () => {
  it('runs as a module in CommonJS', async () => {
    const file = await program()

    expect(loadScript(file, null).exports['places']).toEqual([file, folder, 'program-A.cjs'])
  })

  it('keeps what was compiled once it is told to, functions that were called later with it', async () => {
    const file = await program()
    const unused = loadScript(file, `${cacheFile}.unused`)
    unused.save()
    const first = loadScript(file, cacheFile)
    expect(later(first)).toBe(19_900)
    expect(await readdir(path.dirname(cacheFile))).toEqual([path.basename(`${cacheFile}.unused`)])

    first.save()

    const { size, mode } = await stat(cacheFile)
    expect(size).toBeGreaterThan((await stat(`${cacheFile}.unused`)).size)
    expect(mode & 0o777).toBe(0o600)
  })

  it('takes what was kept, and leaves it as it is', async () => {
    const file = await program()
    loadScript(file, cacheFile).save()
    const long = new Date('2020-01-01T00:00:00Z')
    await utimes(cacheFile, long, long)

    const second = loadScript(file, cacheFile)
    expect(later(second)).toBe(19_900)
    second.save()

    expect((await stat(cacheFile)).mtime).toEqual(long)
  })

  it.each<[what: string, damage: (kept: Buffer) => Buffer]>([
    ['is not what was written', () => Buffer.from('not what V8 wrote')],
    ['is empty', () => Buffer.alloc(0)],
    ['is cut off', (kept) => kept.subarray(0, -100)],
    ['has a bit flipped', (kept) => changed(kept, (copy) => copy.writeUInt8(copy.readUInt8(700) ^ 4, 700))],
    ['has a page of zeros', (kept) => changed(kept, (copy) => copy.fill(0, 512, 1024))],
    ['has another checksum', (kept) => changed(kept, (copy) => copy.write('00000000'))],
    ['is what V8 wrote, without a checksum', (kept) => kept.subarray(8)],
  ])('is compiled anew where what was kept %s, and has that replaced', async (_, damage) => {
    const file = await program()
    const first = loadScript(file, cacheFile)
    later(first)
    first.save()
    const kept = await readFile(cacheFile)
    await writeFile(cacheFile, damage(kept))

    const loaded = loadScript(file, cacheFile)
    expect(later(loaded)).toBe(19_900)
    loaded.save()

    const replaced = await readFile(cacheFile)
    expect(replaced.toString('latin1', 0, 8)).toBe(crc32(replaced.subarray(8)).toString(16).padStart(8, '0'))
    expect(replaced.length).toBeGreaterThan(1000)
    expect(await readdir(path.dirname(cacheFile))).toEqual([path.basename(cacheFile)])
  })

  it('does not run what others may have written, and has it replaced', async () => {
    const file = await program()
    loadScript(file, cacheFile).save()
    await chmod(cacheFile, 0o622)

    loadScript(file, cacheFile).save()

    expect((await stat(cacheFile)).mode & 0o777).toBe(0o600)
  })

  it('runs where nothing can be kept', async () => {
    const file = await program()

    const loaded = loadScript(file, path.join(folder, 'absent', 'cache'))
    loaded.save()

    expect(later(loaded)).toBe(19_900)
    expect(await readdir(folder)).not.toContain('absent')
  })

  it('leaves nothing behind where it cannot be written whole', async () => {
    const file = await program()
    const code = `
      process.on('SIGXFSZ', () => {})
      const { loadScript } = await import(process.argv[1])
      const loaded = loadScript(process.argv[2], process.argv[3])
      loaded.exports.later(1)
      loaded.save()`

    // A limit on the size of files takes the place of a full disk: the file is there, and a part of it.
    const words = [process.execPath, '--input-type=module', '--eval', code]
    execFileSync('bash', ['-c', 'ulimit -f 1 && exec "$@"', 'bash', ...words, module, file, cacheFile])

    expect(await readdir(path.dirname(cacheFile))).toEqual([])
  })

  it('has what other versions left removed once it is old, and nothing else', async () => {
    const file = await program()
    const cache = path.dirname(cacheFile)
    const long = new Date('2020-01-01T00:00:00Z')
    for (const name of ['chantal-program-B', 'chantal-program-B.repo.list', 'another', 'chantal-program-A']) {
      await writeFile(path.join(cache, name), name)
      await utimes(path.join(cache, name), long, long)
    }
    await writeFile(path.join(cache, 'chantal-program-C'), 'new')

    loadScript(file, cacheFile).save()

    expect((await readdir(cache)).toSorted()).toEqual([
      'another',
      'chantal-program-A',
      'chantal-program-A.repo.sync',
      'chantal-program-C',
    ])
    expect(await readFile(path.join(cache, 'another'), 'utf8')).toBe('another')
  })
})

it.each([
  ['repo sync el9', 'chantal-program-A.repo.sync.v24.21.0-x64'],
  ['--config /etc/chantal/config.yaml --json repo list', 'chantal-program-A.repo.list.v24.21.0-x64'],
  ['repo sync --help', 'chantal-program-A.help.v24.21.0-x64'],
  ['-h', 'chantal-program-A.help.v24.21.0-x64'],
  ['--version', 'chantal-program-A.v24.21.0-x64'],
  ['stats', 'chantal-program-A.stats.v24.21.0-x64'],
  ['publish ../../x', 'chantal-program-A.publish.v24.21.0-x64'],
])('what `chantal %s` compiles is kept as %s', (line, name) => {
  expect(cacheName('program-A.cjs', 'v24.21.0-x64', line.split(' '))).toBe(name)
})
