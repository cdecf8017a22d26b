import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import * as openpgp from 'openpgp'
import { decompress } from '../../src/codec/compression.ts'
import { readWhole } from '../../src/core/bytes.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from '../upstream/upstream.ts'

export type AptState = 'v1' | 'v2'

/** `archive` signs everything, `next` signs `stable` as well, `other` nothing of upstream's. */
export type AptKey = 'archive' | 'next' | 'other'

/** Files by path. */
export type AptFiles = Readonly<Record<string, Uint8Array>>

const fixtures = path.resolve(import.meta.dirname, '..', 'fixtures', 'apt')

/** Dates of the two states. */
export const aptDates: Readonly<Record<AptState, Date>> = {
  v1: new Date('2026-01-05T00:00:00Z'),
  v2: new Date('2026-02-02T00:00:00Z'),
}

/** Absolute path of a public key, armored. */
export function aptKeyFile(key: AptKey): string {
  return path.join(fixtures, 'keys', `${key}.asc`)
}

/** As {@link aptKeyFile}, of the private key. */
export function aptPrivateKeyFile(key: AptKey): string {
  return path.join(fixtures, 'keys', `${key}.private.asc`)
}

/** The upstream of `scripts/make-apt-fixtures.sh` in one of its states, by paths as `dists/stable/InRelease`. */
export function aptFiles(state: AptState): AptFiles {
  const folder = path.join(fixtures, state)
  const files: Record<string, Uint8Array> = {}
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = path.join(folder, name)
    if (statSync(file).isFile()) files[name] = readFileSync(file)
  }
  return files
}

/** As {@link aptFiles}, but `stable-updates` has not expired by the machine's clock, which is what clients go by. */
export async function currentAptFiles(state: AptState): Promise<AptFiles> {
  const until = new Date()
  until.setUTCFullYear(until.getUTCFullYear() + 1)
  const release = (text: string) => text.replace(/^Valid-Until: .*/m, `Valid-Until: ${until.toUTCString()}`)
  return await changeApt(aptFiles(state), { folder: 'dists/stable-updates', release })
}

export interface AptUpstream extends Upstream {
  /** Has it serve these, and nothing of what it served before. */
  show(files: AptFiles): void
}

/** Serves `v1` at first. */
export async function startAptUpstream(
  files: AptFiles = aptFiles('v1'),
  options: UpstreamOptions = {},
): Promise<AptUpstream> {
  const upstream = await startUpstream(options)
  let shown: readonly string[] = []
  const show = (next: AptFiles) => {
    for (const name of shown) if (!(name in next)) upstream.remove(name)
    for (const [name, content] of Object.entries(next)) upstream.put(name, content)
    shown = Object.keys(next)
  }
  show(files)
  return Object.assign(upstream, { show })
}

export interface AptChange {
  /** Where the Release is. Default: `dists/stable`. */
  readonly folder?: string
  /** Of plain indexes by path below the folder, as `main/binary-amd64/Packages`; text is one character a byte. */
  readonly indexes?: Readonly<Record<string, (text: string) => string>>
  /** Of Release, after that. */
  readonly release?: (text: string) => string
  /** When it is signed. Default: the date that Release has. */
  readonly signedAt?: Date
  /** Default: `archive`. None leaves Release alone, unsigned. */
  readonly signers?: readonly AptKey[]
}

/**
 * The files with something changed, listed and signed as upstream would: a changed index comes as `.gz`, whatever it came as before.
 */
export async function changeApt(
  files: AptFiles,
  {
    folder = 'dists/stable',
    indexes = {},
    release = (text) => text,
    signers = ['archive'],
    signedAt,
  }: AptChange,
): Promise<AptFiles> {
  const changed: Record<string, Uint8Array> = { ...files }
  let text = textOf(files[`${folder}/Release`])
  for (const [name, change] of Object.entries(indexes)) {
    const plain = Buffer.from(change(await plainIndex(files, `${folder}/${name}`)), 'latin1')
    for (const variant of Object.keys(changed)) {
      if (variant.startsWith(`${folder}/${name}`) && !variant.includes('.diff/')) delete changed[variant]
    }
    const compressed = gzipSync(plain)
    changed[`${folder}/${name}.gz`] = compressed
    const entries: readonly (readonly [string, Uint8Array])[] = [
      [name, plain],
      [`${name}.gz`, compressed],
    ]
    for (const [, bytes] of entries.slice(1)) {
      changed[`${folder}/${path.dirname(name)}/by-hash/SHA256/${hexOf('sha256', bytes)}`] = bytes
    }
    text = withEntries(text, name, entries)
  }
  text = release(text)
  for (const name of ['InRelease', 'Release', 'Release.gpg']) delete changed[`${folder}/${name}`]
  return { ...changed, ...prefixed(folder, await signedRelease(text, signers, signedAt)) }
}

/** `Release`, `Release.gpg` and `InRelease` of a text. */
async function signedRelease(
  text: string,
  signers: readonly AptKey[],
  date = new Date(/^Date: (.*)$/m.exec(text)?.[1] ?? aptDates.v1),
): Promise<AptFiles> {
  const release = Buffer.from(text, 'latin1')
  if (signers.length === 0) return { Release: release }
  const signingKeys = await Promise.all(signers.map(privateKey))
  const detached = await openpgp.sign({
    message: await openpgp.createMessage({ binary: release }),
    signingKeys,
    detached: true,
    date,
  })
  const inRelease = await openpgp.sign({
    message: await openpgp.createCleartextMessage({ text: release.toString() }),
    signingKeys,
    date,
  })
  // Signed is the text with these line ends; gpg writes it without.
  const lines = inRelease.replaceAll('\r\n', '\n')
  return { Release: release, 'Release.gpg': Buffer.from(detached), InRelease: Buffer.from(lines) }
}

async function privateKey(name: AptKey): Promise<openpgp.PrivateKey> {
  const armoredKey = readFileSync(aptPrivateKeyFile(name), 'utf8')
  return await openpgp.readPrivateKey({ armoredKey })
}

async function plainIndex(files: AptFiles, name: string): Promise<string> {
  const bytes = ['', '.gz', '.xz'].map((extension) => files[`${name}${extension}`]).find(Boolean)
  if (!bytes) throw new Error(`no ${name}, plain, .gz or .xz`)
  const source = (async function* () {
    yield bytes
  })()
  return textOf(await readWhole(decompress(source, { maxSize: 2 ** 24 })))
}

/** Release with other entries of an index in each of its lists. */
function withEntries(
  release: string,
  name: string,
  entries: readonly (readonly [string, Uint8Array])[],
): string {
  const algorithms: Readonly<Record<string, string>> = { MD5Sum: 'md5', SHA256: 'sha256', SHA512: 'sha512' }
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const without = release.replaceAll(new RegExp(`^ \\w+ +\\d+ ${escaped}(\\.\\w+)?\\n`, 'gm'), '')
  return without.replaceAll(/^(MD5Sum|SHA256|SHA512):\n/gm, (line, list: string) => {
    const lines = entries.map(
      ([entry, bytes]) => ` ${hexOf(algorithms[list] ?? '', bytes)} ${bytes.byteLength} ${entry}\n`,
    )
    return `${line}${lines.join('')}`
  })
}

function prefixed(folder: string, files: AptFiles): AptFiles {
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${folder}/${name}`, bytes]))
}

function hexOf(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex')
}

function textOf(bytes: Uint8Array | undefined): string {
  if (!bytes) throw new Error('no such file')
  return Buffer.from(bytes).toString('latin1')
}
