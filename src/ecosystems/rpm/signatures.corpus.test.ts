import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPackageVerifier } from '../../sign/openpgp.ts'
import { rpmSignatures } from './signatures.ts'

const corpus = '../shared/corpus/rpm'
const hasCorpus = existsSync(corpus)
const hasRpmkeys = existsSync('/usr/bin/rpmkeys')

const packages: readonly (readonly [file: string, key: string, digest: 'strong' | 'sha1'])[] = [
  ['smfc-rpm/packages/smfc-5.4.0-1.fc44.noarch.rpm', 'smfc-rpm/smfc-repo.gpg', 'strong'],
  ['eupnea/eupnea-utils-1.0.17-1.x86_64.rpm', 'eupnea/public_key.gpg', 'strong'],
  ['content-sources/fixtures/frog/frog-0.1-1.noarch.rpm', '../keys/GPG-KEY-fixture-signing', 'strong'],
  ['ruapm-wslu/x86_64/wslu-1.7-2.x86_64.rpm', 'ruapm-wslu/repodata/repomd.xml.key', 'sha1'],
]

async function verdictOf(bytes: Buffer, key: Buffer, weakDigests: readonly 'sha1'[], mustCoverAll = false) {
  const verifier = await openPackageVerifier({ keys: [key], weakDigests, now: () => new Date() })
  const read = async function* (start = 0) {
    yield bytes.subarray(start)
  }
  const head = (maxBytes: number) => bytes.subarray(0, maxBytes)
  return rpmSignatures.verify({ size: bytes.length, head, read }, verifier, { mustCoverAll })
}

describe.skipIf(!hasCorpus)('real packages (the shared corpus)', () => {
  it.each(packages)('judges %s', async (file, keyFile, digest) => {
    const [bytes, key] = [await readFile(join(corpus, file)), await readFile(join(corpus, keyFile))]

    expect(await verdictOf(bytes, key, ['sha1'])).toMatchObject({ state: 'good' })
    expect(await verdictOf(bytes, key, [])).toMatchObject({ state: digest === 'sha1' ? 'bad' : 'good' })
  })

  it.skipIf(!hasRpmkeys).each(packages)(
    'agrees with rpmkeys on %s, whole and tampered',
    async (file, keyFile) => {
      const folder = await mkdtemp(join(tmpdir(), 'chantal-rpmkeys-'))
      try {
        const [bytes, key] = [await readFile(join(corpus, file)), await readFile(join(corpus, keyFile))]
        execFileSync('rpmkeys', ['--dbpath', folder, '--import', join(corpus, keyFile)])
        for (const at of [null, bytes.length - 1, Math.floor(bytes.length / 2)]) {
          const changed = Buffer.from(bytes)
          if (at !== null) changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
          const copy = join(folder, 'package.rpm')
          await writeFile(copy, changed)

          const { status } = spawnSync('rpmkeys', ['--dbpath', folder, '--checksig', copy])
          const { state } = await verdictOf(changed, key, ['sha1'], true)

          expect(state === 'good').toBe(status === 0)
        }
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  )
})
