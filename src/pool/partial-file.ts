import { createReadStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import type { ByteSource } from '../core/bytes.ts'
import type { Expectation } from '../core/digest.ts'
import { hasSystemCode, isChantalError } from '../core/errors.ts'
import { CheckedBytes } from './checked-bytes.ts'
import type { PartialFile, ReceivedBlob } from './pool.ts'
import { explainDiskError } from './system-errors.ts'
import { TemporaryBlob } from './temporary-blob.ts'

/**
 * Bytes of an unfinished download, in one file that a lock file guards:
 *
 *     <tmp>/<name>.partial   what arrived
 *     <tmp>/<name>.lock      the process that appends to it: "<pid> <start time>"
 */
export class PartialFileOnDisk implements PartialFile {
  readonly #path: string
  readonly #lock: string
  readonly #complete: string
  #size: number

  private constructor(path: string, lock: string, complete: string, size: number) {
    this.#path = path
    this.#lock = lock
    this.#complete = complete
    this.#size = size
  }

  /** @param base the path without its ending @param complete where the file moves once it is whole */
  static async open(base: string, complete: string): Promise<PartialFileOnDisk | null> {
    const lock = `${base}.lock`
    if (!(await takeLock(lock))) return null
    const path = `${base}.partial`
    const stat = await fs.stat(path).catch(() => null)
    return new PartialFileOnDisk(path, lock, complete, stat?.size ?? 0)
  }

  get size(): number {
    return this.#size
  }

  async receive(
    source: ByteSource,
    from: number,
    expect: Expectation,
    signal?: AbortSignal,
  ): Promise<ReceivedBlob> {
    if (from !== 0 && from !== this.#size) throw new RangeError(`${this.#size} bytes are here, not ${from}`)
    try {
      const { digest, size } = await this.#append(source, from, expect, signal)
      await fs.chmod(this.#path, 0o444)
      await fs.rename(this.#path, this.#complete)
      this.#size = 0
      return new TemporaryBlob(this.#complete, digest, size)
    } catch (error) {
      // These say that the bytes themselves are wrong: resuming would repeat the mistake.
      if (isChantalError(error, 'CHECKSUM_MISMATCH', 'SIZE_LIMIT')) {
        await fs.rm(this.#path, { force: true })
        this.#size = 0
      }
      throw explainDiskError(error, this.#path)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await fs.rm(this.#lock, { force: true })
  }

  async #append(source: ByteSource, from: number, expect: Expectation, signal: AbortSignal | undefined) {
    const checked = new CheckedBytes(expect)
    if (from > 0)
      for await (const chunk of createReadStream(this.#path, { end: from - 1 })) checked.update(chunk)
    await using file = await fs.open(this.#path, from > 0 ? 'a' : 'w', 0o600)
    this.#size = from
    for await (const chunk of source) {
      signal?.throwIfAborted()
      checked.update(chunk)
      await writeAll(file, chunk)
      this.#size += chunk.byteLength
    }
    return checked.finish()
  }
}

async function writeAll(file: fs.FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength; ) {
    offset += (await file.write(chunk, offset, chunk.byteLength - offset)).bytesWritten
  }
}

/** Exclusive until removed; the lock of a process that is gone is taken over. */
async function takeLock(lock: string): Promise<boolean> {
  const mine = `${process.pid} ${await startTime(process.pid)}`
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await fs.writeFile(lock, mine, { flag: 'wx' })
      return true
    } catch (error) {
      if (!hasSystemCode(error, 'EEXIST')) throw explainDiskError(error, lock)
    }
    const [pid, started] = (await fs.readFile(lock, 'utf8').catch(() => '')).split(' ')
    const alive = pid && (await startTime(Number(pid))) === started
    if (alive) return false
    await fs.rm(lock, { force: true })
  }
  return false
}

/** Field 22 of /proc/<pid>/stat tells a process from a later one with its number; empty where it is gone. */
async function startTime(pid: number): Promise<string> {
  const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
