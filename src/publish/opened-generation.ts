import { hash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { RelativePath } from '../core/path.ts'
import { type EarlierTree, TreeIncomplete } from '../core/publication.ts'
import { orNull } from './folders.ts'
import type { GenerationManifest, MetadataEntry } from './generation-manifest.ts'
import type { PublicationFolder } from './publication-folder.ts'

/** A finished generation that is read from. Its files stay open until it is disposed. */
export interface OpenedGeneration extends EarlierTree, AsyncDisposable {
  /** Whether all of its files can be checked, and so be shown again. */
  readonly isRepeatable: boolean
}

/** Reads what the generation published itself, not what it carried along. */
export async function openGeneration(
  folder: PublicationFolder,
  manifest: GenerationManifest,
): Promise<OpenedGeneration> {
  const own = new Map(
    manifest.metadata.filter((entry) => entry.supersededAt === null).map((entry) => [entry.path, entry]),
  )
  const opened = new Map<RelativePath, Promise<RangedFile | null>>()
  return {
    notes: await folder.readNotes(manifest.name),
    isRepeatable: [...own.values()].every(({ digest }) => digest !== null),
    async read(file, range) {
      const entry = own.get(file)
      if (entry === undefined) return null
      const absolute = path.join(folder.folderOf(manifest.name), file)
      if (range === undefined) return readChecked(absolute, entry)
      const known = opened.get(file)
      const pending = known ?? RangedFile.open(absolute)
      if (!known) opened.set(file, pending)
      return (await pending)?.read(range.start, range.size) ?? null
    },
    async [Symbol.asyncDispose]() {
      const files = await Promise.allSettled(opened.values())
      for (const file of files) if (file.status === 'fulfilled') await file.value?.[Symbol.asyncDispose]()
    },
  }
}

async function readChecked(file: string, { digest }: MetadataEntry): Promise<Uint8Array | null> {
  const bytes = await orNull(fs.readFile(file))
  if (bytes !== null && digest !== null && hash('sha256', bytes, 'hex') !== digest)
    throw new TreeIncomplete(`a file of an earlier tree is damaged: ${file}`)
  return bytes
}

interface Window {
  readonly start: number
  readonly bytes: Uint8Array
}

const windowBytes = 1024 ** 2

/** A file read range after range, further ahead than asked for: most ranges follow one another. */
class RangedFile implements AsyncDisposable {
  readonly #handle: fs.FileHandle
  readonly #size: number
  #window: Promise<Window> = Promise.resolve({ start: 0, bytes: new Uint8Array() })
  /** Memory of this window and of the one before, which somebody may be about to copy from. */
  #buffers: readonly [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)]

  private constructor(handle: fs.FileHandle, size: number) {
    this.#handle = handle
    this.#size = size
  }

  static async open(file: string): Promise<RangedFile | null> {
    const handle = await orNull(fs.open(file))
    return handle && new RangedFile(handle, (await handle.stat()).size)
  }

  async read(start: number, size: number): Promise<Uint8Array | null> {
    if (start + size > this.#size) return null
    while (true) {
      const pending = this.#window
      const window = await pending
      const offset = start - window.start
      if (offset >= 0 && offset + size <= window.bytes.byteLength) {
        return window.bytes.subarray(offset, offset + size)
      }
      // Whoever else waited for that window may have moved on to the next one.
      if (this.#window === pending) this.#window = this.#load(start, size)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }

  async #load(start: number, size: number): Promise<Window> {
    const wanted = Math.min(Math.max(size, windowBytes), this.#size - start)
    const [before, free] = this.#buffers
    const buffer = free.byteLength >= wanted ? free : Buffer.allocUnsafeSlow(Math.max(wanted, windowBytes))
    this.#buffers = [buffer, before]
    const bytes = buffer.subarray(0, wanted)
    for (let filled = 0; filled < bytes.byteLength; ) {
      const { bytesRead } = await this.#handle.read(bytes, filled, bytes.byteLength - filled, start + filled)
      if (bytesRead === 0) throw new TreeIncomplete('a file of a finished generation became shorter')
      filled += bytesRead
    }
    return { start, bytes }
  }
}
