import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPrivateKey } from 'openpgp'
import { parseRpmHeaders, type RpmHeaders } from './formats/rpm-header.ts'
import { rpmSignatureTag } from './formats/rpm-tags.ts'

const unsignedPath = 'tests/fixtures/rpm/unsigned/Packages/demo-hello-1.0-1.noarch.rpm'

/** A package that nobody signed. */
export const unsignedPackage = readFileSync(unsignedPath)

/** What is missing on this machine for {@link GpgHome}; `null` where nothing is. */
export function findMissing(...programs: readonly string[]): string | null {
  const missing = programs.filter((program) => spawnSync(program, ['--version']).status !== 0)
  return missing.length === 0 ? null : `${missing.join(', ')} not installed`
}

export function rpmVersion(): string {
  return execFileSync('rpm', ['--version'], { encoding: 'utf8' })
}

/** A day as gpg takes it: `20240110`. */
type Day = string

/** gpg with keys of its own, and a clock that is set to any day. Call `close`. */
export class GpgHome {
  readonly #folder = mkdtempSync(join(tmpdir(), 'chantal-rpm-signatures-'))
  readonly #environment = { PATH: process.env['PATH'], GNUPGHOME: this.#folder, LC_ALL: 'C', TZ: 'UTC' }
  #count = 0

  close(): void {
    spawnSync('gpgconf', ['--kill', 'all'], { env: this.#environment })
    rmSync(this.#folder, { recursive: true, force: true })
  }

  run(
    args: readonly string[],
    { on, input }: { readonly on?: Day; readonly input?: Uint8Array } = {},
  ): Buffer {
    const clock = on === undefined ? [] : ['--faked-system-time', `${on}T000000!`]
    const quiet = ['--quiet', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', '']
    return execFileSync('gpg', [...quiet, ...clock, ...args], {
      env: this.#environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(input && { input }),
    })
  }

  /** Of 2024-01-01. @param kind as gpg names it: `rsa2048` @returns the fingerprint */
  makeKey(kind: string, usage: 'sign' | 'cert' = 'sign', expires = 'never'): string {
    this.#count += 1
    const name = `key${this.#count}@example.org`
    this.run(['--batch', '--quick-generate-key', name, kind, usage, expires], { on: '20240101' })
    const listed = this.run(['--batch', '--with-colons', '--list-keys', name]).toString()
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1]
    if (!fingerprint) throw new Error(`gpg made no key: ${listed}`)
    return fingerprint
  }

  addSigningSubkey(fingerprint: string, kind: string): void {
    this.run(['--batch', '--quick-add-key', fingerprint, kind, 'sign', 'never'], { on: '20240101' })
  }

  /** @param expires as `2024-02-01` */
  setExpiry(fingerprint: string, expires: string): void {
    this.run(['--batch', '--quick-set-expire', fingerprint, expires], { on: '20240115' })
  }

  revoke(fingerprint: string, reason: 'none' | 'compromised' | 'superseded', on: Day): void {
    const answer = { none: 0, compromised: 1, superseded: 2 }[reason]
    const dialog = ['--command-fd', '0', '--armor', '--gen-revoke', fingerprint]
    const revocation = this.run(dialog, { on, input: Buffer.from(`y\n${answer}\n\ny\n`) })
    this.run(['--batch', '--import'], { on, input: revocation })
  }

  exportKey(fingerprint: string): Buffer {
    return this.run(['--batch', '--armor', '--export', fingerprint])
  }

  /** The private key as `node:crypto` takes it. */
  async exportRsaKey(fingerprint: string): Promise<KeyObject> {
    const armoredKey = this.run(['--batch', '--armor', '--export-secret-keys', fingerprint]).toString()
    const { keyPacket } = await readPrivateKey({ armoredKey })
    const { n, e } = Object(keyPacket.publicParams)
    const { d, p, q, u } = Object('privateParams' in keyPacket ? keyPacket.privateParams : {})
    const modulo = (prime: Uint8Array) => fromNumber(toNumber(d) % (toNumber(prime) - 1n))
    // OpenPGP's coefficient is that of p by q, and not of q by p: so the primes change places.
    const numbers = { n, e, d, p: q, q: p, dp: modulo(q), dq: modulo(p), qi: u }
    const texts = Object.entries(numbers).map(([name, value]) => [
      name,
      Buffer.from(value).toString('base64url'),
    ])
    return createPrivateKey({ key: { kty: 'RSA', ...Object.fromEntries(texts) }, format: 'jwk' })
  }

  /** A signature packet for any bytes. */
  detached(bytes: Uint8Array, fingerprint: string, on: Day, digest = 'SHA256'): Buffer {
    const args = ['--batch', '--digest-algo', digest, '--local-user', fingerprint, '--detach-sign']
    return this.run(args, { on, input: bytes })
  }

  /** {@link unsignedPackage}, signed as packagers do. */
  addSign(
    fingerprint: string,
    on: Day,
    { digest = 'sha256', also = [] }: { readonly digest?: string; readonly also?: readonly string[] } = {},
  ): Buffer {
    const path = join(this.#folder, 'package.rpm')
    copyFileSync(unsignedPath, path)
    const macros = {
      _gpg_name: fingerprint,
      _gpg_path: this.#folder,
      _gpg_digest_algo: digest,
      _gpg_sign_cmd_extra_args: `--faked-system-time ${on}T000000! --pinentry-mode loopback`,
      __gpg: execFileSync('which', ['gpg'], { encoding: 'utf8' }).trim(),
    }
    const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`])
    execFileSync('rpmsign', ['--addsign', ...also, ...defines, path], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return readFileSync(path)
  }

  /** What rpm says of a package, where it must be signed. */
  isGoodForRpm(content: Uint8Array, keys: readonly Uint8Array[]): boolean {
    const database = mkdtempSync(join(this.#folder, 'rpmdb-'))
    const path = join(database, 'package.rpm')
    writeFileSync(path, content)
    mkdirSync(join(database, 'db'))
    const common = ['--dbpath', join(database, 'db')]
    for (const [index, key] of keys.entries()) {
      const keyPath = join(database, `${index}.asc`)
      writeFileSync(keyPath, key)
      execFileSync('rpmkeys', [...common, '--import', keyPath], { stdio: 'pipe' })
    }
    const must = ['--define', '_pkgverify_level all']
    return spawnSync('rpmkeys', [...common, ...must, '--checksig', path]).status === 0
  }
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

function fromNumber(number: bigint): Buffer {
  const hex = number.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

export function headersOf(content: Uint8Array): RpmHeaders {
  const headers = parseRpmHeaders(content)
  if (typeof headers === 'number') throw new Error('the package is cut short')
  return headers
}

/** A signature as rpm wrote it into packages until 2023: of version 3, which gpg makes no more. */
export function signByVersion3(
  bytes: Uint8Array,
  key: KeyObject,
  fingerprint: string,
  created: Date,
): Buffer {
  const signedToo = Buffer.alloc(5)
  signedToo.writeUInt32BE(created.getTime() / 1000, 1)
  const all = Buffer.concat([bytes, signedToo])
  const value = sign('sha256', all, key)
  const number = value.subarray(value.findIndex((byte) => byte !== 0))
  const bits = Buffer.alloc(2)
  bits.writeUInt16BE(number.length * 8 - Math.clz32(number[0] ?? 0) + 24)
  const body = Buffer.concat([
    Buffer.of(3, 5),
    signedToo,
    Buffer.from(fingerprint.slice(-16), 'hex'),
    Buffer.of(1, 8),
    createHash('sha256').update(all).digest().subarray(0, 2),
    bits,
    number,
  ])
  const length = Buffer.alloc(2)
  length.writeUInt16BE(body.length)
  return Buffer.concat([Buffer.of(0x89), length, body])
}

/** {@link unsignedPackage} with a signature header that holds these packets. @param signatures by tag */
export function withSignatures(
  signatures: Readonly<Record<number, Uint8Array>>,
  content: Uint8Array = unsignedPackage,
): Buffer {
  const { mainBytes, mainOffset } = headersOf(content)
  const digest = (algorithm: string) => createHash(algorithm).update(mainBytes).digest('hex')
  const seals = {
    [rpmSignatureTag.sha1]: digest('sha1'),
    [rpmSignatureTag.sha256]: digest('sha256'),
    [rpmSignatureTag.size]: content.length - mainOffset,
    ...signatures,
  }
  return withSeals(seals, content)
}

/** A package with a signature header that holds these and nothing else. @param seals by tag; numbers have 32 bits */
export function withSeals(
  seals: Readonly<Record<number, Uint8Array | string | number>>,
  content: Uint8Array,
): Buffer {
  const { mainOffset } = headersOf(content)
  const rest = Buffer.from(content.subarray(mainOffset))
  const entries = Object.entries(seals).map(([tag, value]) => [Number(tag), ...encodeSeal(value)] as const)
  const rows: number[][] = []
  let data = Buffer.alloc(0)
  for (const [tag, type, count, bytes] of entries.toSorted(([a], [b]) => a - b)) {
    // Numbers are aligned.
    if (type === 4) data = Buffer.concat([data, Buffer.alloc(-data.length & 3)])
    rows.push([tag, type, data.length, count])
    data = Buffer.concat([data, bytes])
  }
  const indexSize = (rows.length + 1) * 16
  // The region: what one writer wrote at once. Its mark stands after the data and points back over the index.
  const index = [[62, 7, data.length, 16], ...rows]
  const header = Buffer.concat([
    words(0x8eade801, 0, rows.length + 1, data.length + 16),
    ...index.map((row) => words(...row)),
    data,
    words(62, 7, 0x1_0000_0000 - indexSize, 16),
  ])
  const padding = Buffer.alloc(-header.length & 7)
  return Buffer.concat([content.subarray(0, 96), header, padding, rest])
}

function encodeSeal(
  value: Uint8Array | string | number,
): readonly [type: number, count: number, data: Uint8Array] {
  if (typeof value === 'string') return [6, 1, Buffer.from(`${value}\0`)]
  return typeof value === 'number' ? [4, 1, words(value)] : [7, value.length, value]
}

function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, index * 4)
  return bytes
}
