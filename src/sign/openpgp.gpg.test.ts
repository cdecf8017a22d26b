import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { generateSigningKey, openOpenPgpSigner, openOpenPgpVerifier } from './openpgp.ts'

const hasGpg = spawnSync('gpg', ['--version']).status === 0
const title = hasGpg ? 'with gpg' : 'with gpg (skipped: gpg is not installed)'

const home = mkdtempSync(join(tmpdir(), 'chantal-gpg-'))
const environment = { PATH: process.env['PATH'], GNUPGHOME: home, LC_ALL: 'C' }
afterAll(() => {
  if (hasGpg) spawnSync('gpgconf', ['--kill', 'all'], { env: environment })
  rmSync(home, { recursive: true, force: true })
})

function gpg(...args: readonly string[]): string {
  const all = ['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...args]
  return execFileSync('gpg', all, { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(home, name)
  writeFileSync(path, content)
  return path
}

describe.skipIf(!hasGpg)(title, () => {
  it('what we sign is good for gpgv, with a key that we made', async () => {
    const now = new Date()
    const pair = await generateSigningKey({ name: 'Mirror', email: 'mirror@example.org', now })
    const signer = await openOpenPgpSigner({ key: pair.privateKey, passphrase: null })
    write('own.asc', pair.publicKey)
    gpg('--import', join(home, 'own.asc'))
    const keyring = write(
      'own.gpg',
      execFileSync('gpg', ['--export', pair.fingerprint], { env: environment }),
    )
    const data = write('repomd.xml', '<repomd/>\n')
    const signature = write('repomd.xml.asc', await signer.detached(Buffer.from('<repomd/>\n'), now))
    const message = write('InRelease', await signer.cleartext('Origin: Example\n- a\n', now))

    const detached = spawnSync('gpgv', ['--keyring', keyring, signature, data], {
      env: environment,
      encoding: 'utf8',
    })
    const cleartext = spawnSync('gpgv', ['--keyring', keyring, '--output', '-', message], {
      env: environment,
      encoding: 'utf8',
    })

    expect(detached).toMatchObject({ status: 0, stderr: expect.stringContaining('Good signature') })
    expect(cleartext).toMatchObject({ status: 0, stdout: 'Origin: Example\n- a\n' })
  })

  it.each([
    ['rsa2048', 'Robert'],
    ['ed25519', 'Edward'],
  ])('a key of kind %s signs for us, and its own signatures hold', async (kind, name) => {
    gpg('--quick-generate-key', `${name} <${name}@example.org>`, kind, 'sign', 'never')
    const key = gpg('--export-secret-keys', '--armor', name)
    const signer = await openOpenPgpSigner({ key, passphrase: null })
    const now = new Date()
    const data = write(`${name}.txt`, 'Origin: Example\n')
    const ours = write(`${name}.asc`, await signer.detached(Buffer.from('Origin: Example\n'), now))
    gpg(
      '--local-user',
      name,
      '--digest-algo',
      'SHA256',
      '--output',
      join(home, `${name}.clear`),
      '--clearsign',
      data,
    )
    const theirs = execFileSync('gpg', ['--decrypt', '--quiet', join(home, `${name}.clear`)], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const verifier = await openOpenPgpVerifier({
      keys: [Buffer.from(gpg('--export', '--armor', name))],
      now: () => now,
    })
    const cleartext = readFileSync(join(home, `${name}.clear`))

    const verified = spawnSync('gpg', ['--verify', ours, data], { env: environment, encoding: 'utf8' })
    const result = await verifier.cleartext(cleartext)

    expect(verified).toMatchObject({ status: 0, stderr: expect.stringContaining('Good signature') })
    expect(`${result.text}\n`).toBe(theirs.toString())
    expect(result.by.fingerprint).toBe(signer.fingerprint)
  })

  it.each(['rsa3072', 'ed25519'])(
    'a weak digest is what is said of it, by a key of kind %s',
    async (kind) => {
      const name = `Weak-${kind}`
      gpg('--quick-generate-key', `${name} <${name}@example.org>`, kind, 'sign', 'never')
      const data = write(`${name}.txt`, 'Origin: Example\n')
      gpg(
        '--local-user',
        name,
        '--digest-algo',
        'SHA1',
        '--output',
        join(home, `${name}.clear`),
        '--clearsign',
        data,
      )
      const verifier = await openOpenPgpVerifier({
        keys: [Buffer.from(gpg('--export', '--armor', name))],
        now: () => new Date(),
      })

      const result = verifier.cleartext(readFileSync(join(home, `${name}.clear`)))

      await expect(result).rejects.toMatchObject({
        code: 'SIGNATURE_INVALID',
        message: expect.stringContaining('its digest is too weak'),
        hint: 'Upstream must sign with SHA-256 or better.',
      })
    },
  )

  it('a signing subkey signs for us while its primary key stays elsewhere', async () => {
    gpg('--quick-generate-key', 'Primary <primary@example.org>', 'rsa2048', 'cert', 'never')
    const fingerprint =
      /^fpr:+([0-9A-F]{40}):/m.exec(gpg('--with-colons', '--list-keys', 'Primary'))?.[1] ?? ''
    gpg('--quick-add-key', fingerprint, 'rsa2048', 'sign', 'never')
    const key = gpg('--export-secret-subkeys', '--armor', fingerprint)
    const signer = await openOpenPgpSigner({ key, passphrase: null })
    const data = write('subkey.txt', 'hello\n')
    const ours = write('subkey.asc', await signer.detached(Buffer.from('hello\n'), new Date()))

    const verified = spawnSync('gpg', ['--verify', ours, data], { env: environment, encoding: 'utf8' })

    expect(verified).toMatchObject({ status: 0, stderr: expect.stringContaining('Good signature') })
    expect(signer.fingerprint).toBe(fingerprint)
  })

  it('a key that may only certify does not sign', async () => {
    gpg('--quick-generate-key', 'Certifier <certifier@example.org>', 'rsa2048', 'cert', 'never')
    const signer = await openOpenPgpSigner({
      key: gpg('--export-secret-keys', '--armor', 'Certifier'),
      passphrase: null,
    })

    const result = signer.detached(Buffer.from('hello\n'), new Date())

    await expect(result).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
      hint: expect.stringContaining('may sign'),
    })
  })
})
