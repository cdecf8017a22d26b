import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { decompress } from '../../src/codec/compression.ts'
import { readWhole } from '../../src/core/bytes.ts'
import { hasSystemCode } from '../../src/core/errors.ts'

/** A suite as its clients see it, read without a line of the code under test but decompression. Text is one character a byte. */
export interface AptTree {
  /** Fields of Release, but for the lists of files. */
  readonly fields: ReadonlyMap<string, string>
  /** What Release lists by path, relative to Release. */
  readonly listed: ReadonlyMap<string, ListedFile>
  /** Of these the ones that are there. */
  readonly present: ReadonlySet<string>
  /** Paragraphs of every index (Packages, Sources, Translation, Contents as one, ...) by its path without compression. */
  readonly indexes: ReadonlyMap<string, readonly string[]>
  /** Paths of packages and of files of sources, relative to the top, and the indexes that list them. */
  readonly pool: ReadonlyMap<string, readonly string[]>
  /** What a client would stumble over: files that are not there, or have other bytes than was promised. */
  readonly trouble: readonly string[]
}

export interface ListedFile {
  readonly size: number
  readonly checksums: Readonly<Record<string, string>>
}

/**
 * @param top the folder that a client's `URIs` names
 * @param suite as a client's `Suites` names it: with a slash at its end it is flat
 * @throws where there is neither InRelease nor Release
 */
export async function readAptTree(top: string, suite: string): Promise<AptTree> {
  return await new TreeReader(top, suite).read()
}

class TreeReader {
  readonly #top: string
  readonly #folder: string
  readonly #trouble: string[] = []
  readonly #indexes = new Map<string, readonly string[]>()
  readonly #pool = new Map<string, string[]>()

  constructor(top: string, suite: string) {
    this.#top = top
    this.#folder = suite.endsWith('/') ? path.join(suite, '.') : path.join('dists', suite)
  }

  async read(): Promise<AptTree> {
    const { fields, listed } = parseRelease(await this.#release())
    const present = new Set<string>()
    for (const [name, file] of listed) {
      // A Release that lists itself means an earlier one.
      if (name === 'Release') continue
      const bytes = await this.#bytes(path.join(this.#folder, name))
      if (!bytes) continue
      present.add(name)
      this.#compare(path.join(this.#folder, name), bytes, file)
      if (fields.get('Acquire-By-Hash') === 'yes') await this.#checkByHash(name, bytes, file)
      await this.#readIndex(name, bytes)
    }
    for (const [name, { size }] of listed) {
      const [, plain = ''] = /^((?:.*\/)?(?:Packages|Sources))(?:\.\w+)?$/.exec(name) ?? []
      if (plain !== '' && size > 0 && !this.#indexes.has(plain)) this.#trouble.push(`no ${plain} in any form`)
    }
    for (const [name, stanzas] of this.#indexes) {
      if (/(^|\/)Packages$/.test(name)) for (const stanza of stanzas) await this.#checkPackage(name, stanza)
      if (/(^|\/)Sources$/.test(name)) for (const stanza of stanzas) await this.#checkSource(name, stanza)
    }
    const trouble = [...new Set(this.#trouble)]
    return { fields, listed, present, indexes: this.#indexes, pool: this.#pool, trouble }
  }

  /** Of InRelease; what stands beside it must say the same. */
  async #release(): Promise<string> {
    const inRelease = await this.#bytes(path.join(this.#folder, 'InRelease'))
    const release = await this.#bytes(path.join(this.#folder, 'Release'))
    if (!inRelease && !release) throw new Error(`no Release in ${path.join(this.#top, this.#folder)}`)
    const plain = release && textOf(release)
    if (!inRelease) return plain ?? ''
    const [, signed = ''] =
      /^-{5}BEGIN PGP SIGNED MESSAGE-{5}\n(?:Hash: .*\n)*\n([\s\S]*?)\n-{5}BEGIN PGP SIG/.exec(
        textOf(inRelease),
      ) ?? []
    const text = `${signed.replaceAll(/^- /gm, '')}\n`
    if (plain !== null && plain.trimEnd() !== text.trimEnd()) this.#trouble.push('Release is not InRelease')
    return text
  }

  async #checkByHash(name: string, bytes: Uint8Array, { checksums }: ListedFile): Promise<void> {
    for (const algorithm of ['SHA512', 'SHA256']
      .filter((list) => checksums[list] !== undefined)
      .slice(0, 1)) {
      const file = path.join(
        this.#folder,
        path.dirname(name),
        'by-hash',
        algorithm,
        checksums[algorithm] ?? '',
      )
      const copy = await this.#bytes(file)
      if (!copy) this.#trouble.push(`404: ${file}`)
      else if (Buffer.compare(copy, bytes) !== 0) this.#trouble.push(`wrong bytes: ${file}`)
    }
  }

  async #readIndex(name: string, bytes: Uint8Array): Promise<void> {
    if (/\.diff\/|\.tar(\.|$)|installer-/.test(name)) return
    const plain = name.replace(/\.(gz|xz|zst|bz2|lzma)$/, '')
    const text = textOf(await decompressed(bytes))
    const paragraphs = text
      .split(/\n\n+/)
      .map((paragraph) => paragraph.trimEnd())
      .filter((paragraph) => paragraph !== '')
    const known = this.#indexes.get(plain)
    if (known && known.join('\n\n') !== paragraphs.join('\n\n')) this.#trouble.push(`${name} is not ${plain}`)
    this.#indexes.set(plain, paragraphs)
  }

  async #checkPackage(index: string, stanza: string): Promise<void> {
    const sha256 = fieldOf(stanza, 'SHA256')
    const checksums = {
      ...(sha256 === null ? { MD5Sum: fieldOf(stanza, 'MD5sum') ?? '' } : { SHA256: sha256 }),
    }
    await this.#checkFile(index, fieldOf(stanza, 'Filename') ?? '', {
      size: Number(fieldOf(stanza, 'Size')),
      checksums,
    })
  }

  async #checkSource(index: string, stanza: string): Promise<void> {
    const folder = fieldOf(stanza, 'Directory') ?? ''
    const [, files = ''] = /^Checksums-Sha256:.*\n((?: .*\n?)*)/m.exec(stanza) ?? []
    for (const [, hex = '', size, name = ''] of files.matchAll(/^ (\w+) (\d+) (.*)$/gm)) {
      await this.#checkFile(index, path.join(folder, name), {
        size: Number(size),
        checksums: { SHA256: hex },
      })
    }
  }

  async #checkFile(index: string, name: string, file: ListedFile): Promise<void> {
    const normal = path.join(name)
    this.#pool.set(normal, [...(this.#pool.get(normal) ?? []), index])
    const bytes = await this.#bytes(normal)
    if (bytes) this.#compare(normal, bytes, file)
    else this.#trouble.push(`404: ${normal}`)
  }

  #compare(name: string, bytes: Uint8Array, { size, checksums }: ListedFile): void {
    const matches = Object.entries(algorithms).every(([list, algorithm]) => {
      const hex = checksums[list]
      return hex === undefined || createHash(algorithm).update(bytes).digest('hex') === hex
    })
    if (bytes.byteLength !== size || !matches) this.#trouble.push(`wrong bytes: ${name}`)
  }

  async #bytes(name: string): Promise<Buffer | null> {
    return await readFile(path.join(this.#top, name)).catch((error: unknown) => {
      if (!hasSystemCode(error, 'ENOENT', 'EISDIR')) throw error
      return null
    })
  }
}

/** By the names that lists of Release have. */
const algorithms = { MD5Sum: 'md5', SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512' }

function parseRelease(text: string): Pick<AptTree, 'fields' | 'listed'> {
  const fields = new Map<string, string>()
  const listed = new Map<string, { size: number; checksums: Record<string, string> }>()
  let list = ''
  for (const line of text.split('\n')) {
    const [, field, value = ''] = /^([\w-]+): ?(.*)$/.exec(line) ?? []
    const [, hex = '', size, name] = /^ (\w+) +(\d+) (\S+)$/.exec(line) ?? []
    if (field !== undefined) {
      list = field
      if (!/^(MD5Sum|SHA\d+)$/.test(field)) fields.set(field, value)
    } else if (name !== undefined) {
      const file = listed.get(name) ?? { size: Number(size), checksums: {} }
      file.checksums[list] = hex
      listed.set(name, file)
    }
  }
  return { fields, listed }
}

/** The value of a field of one line; `null` without it. */
export function fieldOf(stanza: string, name: string): string | null {
  return new RegExp(`^${name}: *(.*)$`, 'm').exec(stanza)?.[1] ?? null
}

async function decompressed(bytes: Uint8Array): Promise<Uint8Array> {
  const source = (async function* () {
    yield bytes
  })()
  return await readWhole(decompress(source, { maxSize: 2 ** 28 }))
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
