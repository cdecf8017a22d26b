import { spawnSync } from 'node:child_process'
import { createReadStream, existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../../../tests/clients/requirements.ts'
import type { ByteSource } from '../../../core/bytes.ts'
import { arArchive, arHeader, debFixture, tarArchive } from '../debs.fixtures.ts'
import { readDebControl } from './deb-file.ts'

const corpus = '../shared/corpus/apt'
const hasCorpus = existsSync(corpus)

async function* once(bytes: Uint8Array): ByteSource {
  yield bytes
}

async function control(deb: Uint8Array): Promise<string> {
  return Buffer.from(await readDebControl(once(deb), deb.byteLength)).toString()
}

const binary = ['debian-binary', '2.0\n'] as const
const controlTar = tarArchive([['./control', 'Package: a\n']])
const data = ['data.tar.xz', 'not looked into'] as const

describe('readDebControl', () => {
  it.each(['gzip', 'xz', 'zstd', 'none', 'bzip2'])('reads a package compressed with %s', async (name) => {
    expect(await control(debFixture(`hello-${name}_1.0-1_all.deb`))).toBe(
      `Package: hello-${name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: Chantal <chantal@example.org>\n` +
        'Section: misc\nPriority: optional\nDescription: says hello\n',
    )
  })

  it('reads packages of the installer', async () => {
    expect(await control(debFixture('hello-udeb_1.0-1_amd64.udeb'))).toMatch(/^Package: hello-udeb\n/)
  })

  it('knows the control file without its folder, with slashes after names, beside files of others', async () => {
    const deb = arArchive([
      ['debian-binary/', '2.1\n'],
      ['_gpgorigin', 'a signature'],
      [
        'control.tar.gz/',
        gzipSync(
          tarArchive([
            ['md5sums', ''],
            ['control', 'Package: a\n'],
            ['postinst', ''],
          ]),
        ),
      ],
      ['_other', 'anything'],
      data,
    ])

    expect(await control(deb)).toBe('Package: a\n')
  })

  it('does not read the data', async () => {
    const long = arArchive([binary, ['control.tar', controlTar], ['data.tar', Buffer.alloc(1_000_000)]])
    const start = async function* () {
      yield long.subarray(0, 10_000)
      throw new Error('read too far')
    }
    expect(Buffer.from(await readDebControl(start(), long.byteLength)).toString()).toBe('Package: a\n')
  })

  const oversized = `!<arch>\n${arHeader('debian-binary', '4')}2.0\n${arHeader('control.tar.gz', '999999')}`
  const negative = `!<arch>\n${arHeader('debian-binary', '4')}2.0\n${arHeader('control.tar.gz', '-60')}`

  it.each([
    ['something else', Buffer.from('#!/bin/sh\nexit 0\n'), 'it begins with "#!/bin/s"'],
    ['an archive of something else', arArchive([['a.o', '']]), 'first member is a.o, expected debian-binary'],
    ['another format', arArchive([['debian-binary', '3.0\n']]), 'of format "3.0", expected 2.0'],
    ['a format that does not end', arArchive([['debian-binary', '2'.repeat(65)]]), 'has 65 bytes'],
    ['an end before the control archive', arArchive([binary]), 'ends before its control.tar'],
    ['an end before the data', arArchive([binary, ['control.tar', controlTar]]), 'ends before its data.tar'],
    [
      'data in place of the control archive',
      arArchive([binary, data]),
      'a member data.tar.xz where control.tar',
    ],
    [
      'a stranger before the data',
      arArchive([binary, ['control.tar', controlTar], ['x', '']]),
      'member x where data.tar',
    ],
    [
      'an unknown compression',
      arArchive([binary, ['control.tar.7z', '7z'], data]),
      'a member control.tar.7z where',
    ],
    ['a member of negative size', Buffer.from(negative), 'has the size "-60"'],
    ['a member larger than the file', Buffer.from(oversized), 'says it has 999999 bytes where 0 are left'],
    [
      'no control file',
      arArchive([binary, ['control.tar', tarArchive([['md5sums', '']])], data]),
      'holds no control file',
    ],
    [
      'a control file that is a link',
      arArchive([binary, ['control.tar', tarArchive([['2:control', '']])], data]),
      'is no plain file',
    ],
    [
      'two control files',
      arArchive([
        binary,
        [
          'control.tar',
          tarArchive([
            ['control', 'a'],
            ['./control', 'b'],
          ]),
        ],
        data,
      ]),
      'two control files',
    ],
    [
      'a control archive that is none',
      arArchive([binary, ['control.tar', 'x'.repeat(600)], data]),
      'its control.tar has corrupt tar data',
    ],
    [
      'corrupt compression',
      arArchive([binary, ['control.tar.gz', corruptGzip()], data]),
      'its control.tar.gz has corrupt gzip data',
    ],
    [
      'truncated compression',
      arArchive([binary, ['control.tar.gz', gzipSync(controlTar).subarray(0, -20)], data]),
      'its control.tar.gz has truncated gzip data',
    ],
  ])('refuses %s', async (_, deb, reason) => {
    await expect(control(deb)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining(reason),
    })
  })

  it('refuses a control archive that unpacks to more than 64 MiB', async () => {
    const bomb = gzipSync(
      tarArchive([
        ['md5sums', 'x'.repeat(65 * 1024 ** 2)],
        ['control', 'Package: a\n'],
      ]),
    )

    await expect(control(arArchive([binary, ['control.tar.gz', bomb], data]))).rejects.toMatchObject({
      code: 'SIZE_LIMIT',
      message: expect.stringContaining('its control.tar.gz unpacks to more than 67108864 bytes'),
    })
  })

  it('refuses a control file of more than 1 MiB', async () => {
    const large = tarArchive([['control', 'x'.repeat(1024 ** 2 + 1)]])

    await expect(control(arArchive([binary, ['control.tar', large], data]))).rejects.toMatchObject({
      code: 'SIZE_LIMIT',
      message: expect.stringContaining('its control file has 1048577 bytes'),
    })
  })

  it.skipIf(!hasCorpus)('reads every package that others test with (skipped: no corpus)', async () => {
    // Some are there for their names alone.
    const files = globSync(`${corpus}/**/*.{deb,udeb,ddeb}`).filter((file) =>
      readFileSync(file, 'latin1').startsWith('!<arch>'),
    )
    expect(files.length).toBeGreaterThan(100)
    for (const file of files) {
      const read = await readDebControl(createReadStream(file), statSync(file).size)
      expect([file, Buffer.from(read).toString()]).toEqual([file, expect.stringMatching(/^Package: \S+\n/m)])
    }
  })
})

describeWith(['dpkg'], 'beside the installed dpkg', () => {
  it('reads what dpkg-deb reads', async () => {
    const folder = new URL('../../../../tests/fixtures/deb/', import.meta.url).pathname
    // dpkg takes no control archive that bzip2 compressed.
    const files = globSync(`${folder}*deb`).filter((file) => !file.includes('bzip2'))
    expect(files.length).toBe(6)
    for (const file of files) {
      const theirs = spawnSync('dpkg-deb', ['--info', file, 'control'], { encoding: 'utf8' })
      expect([file, await control(readFileSync(file))]).toEqual([file, theirs.stdout])
    }
  })
})

function corruptGzip(): Buffer {
  const bytes = gzipSync(controlTar)
  bytes.fill(0xff, 20, 30)
  return bytes
}
