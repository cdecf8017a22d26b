import type { BigIntStats } from 'node:fs'
import { createReadStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { ByteSource } from '../core/bytes.ts'
import type { Expectation } from '../core/digest.ts'
import { ChantalError, hasSystemCode, isChantalError } from '../core/errors.ts'
import type { Pool, ReceivedBlob } from '../pool/pool.ts'
import { displayUrl } from './display-url.ts'
import type { FetchResult, Validators } from './downloader.ts'
import { wholeLimit } from './request.ts'
import { originOf } from './validators.ts'

export interface FileRequest {
  readonly url: URL
  /** The feed that `url` lies in: what tells a missing file from a medium that is not mounted. */
  readonly feed: URL
  readonly expect: Expectation
  readonly since: Validators | null
  readonly signal: AbortSignal
}

/**
 * Takes a file of a `file:` feed, such as mounted media, into the pool. Size and time are its validators.
 * @throws ChantalError `NOT_FOUND`; `UPSTREAM_UNREACHABLE` where the feed's folder is missing or empty, or cannot be read;
 *   `UPSTREAM_REFUSED` without permission; `CHECKSUM_MISMATCH`, `SIZE_LIMIT`
 */
export async function copyFromFile(pool: Pool, request: FileRequest): Promise<FetchResult> {
  const { url, expect, since, signal } = request
  signal.throwIfAborted()
  const path = fileURLToPath(url)
  try {
    const stat = await fs.stat(path, { bigint: true })
    if (!stat.isFile()) throw notFound(url, 'it is not a regular file')
    const validators = validatorsOf(url, stat)
    if (since?.etag === validators.etag) return { status: 'unchanged' }
    const size = Number(stat.size)
    refuseSize(size, expect)
    return {
      status: 'fetched',
      blob: await receive(pool, path, size, request),
      validators,
      url: displayUrl(url),
    }
  } catch (error) {
    signal.throwIfAborted()
    throw await explain(error, request)
  }
}

async function receive(
  pool: Pool,
  path: string,
  size: number,
  { expect, signal }: FileRequest,
): Promise<ReceivedBlob> {
  if (size <= wholeLimit) return pool.receiveWhole(await fs.readFile(path, { signal }), expect)
  return pool.receive(read(path), expect, signal)
}

/** Opened when it is read: a stream that fails before the pool listens ends the process. */
async function* read(path: string): ByteSource {
  yield* createReadStream(path, { highWaterMark: 256 * 1024 })
}

function validatorsOf(url: URL, stat: BigIntStats): Validators {
  return {
    etag: `"${stat.size}-${stat.mtimeNs}"`,
    lastModified: stat.mtime.toUTCString(),
    origin: originOf(url),
  }
}

function refuseSize(actual: number, { size, maxSize }: Expectation): void {
  if (size !== undefined && actual !== size) {
    throw new ChantalError('CHECKSUM_MISMATCH', `expected ${size} bytes, got ${actual}`, {
      details: { expected_bytes: size, actual_bytes: actual },
    })
  }
  if (actual > maxSize) {
    throw new ChantalError('SIZE_LIMIT', `${actual} bytes, more than ${maxSize}`, {
      details: { limit_bytes: maxSize, actual_bytes: actual },
    })
  }
}

async function explain(error: unknown, { url, feed }: FileRequest): Promise<unknown> {
  const shown = displayUrl(url)
  const details = { url: shown }
  if (isChantalError(error, 'CHECKSUM_MISMATCH', 'SIZE_LIMIT')) {
    return new ChantalError(error.code, `${error.message} (from ${shown})`, {
      cause: error,
      details: { ...error.details, ...details },
    })
  }
  if (isChantalError(error)) return error
  if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) {
    return (await hasContent(feed)) ? notFound(url, 'there is no such file', error) : notMounted(feed, error)
  }
  if (hasSystemCode(error, 'ENAMETOOLONG')) return notFound(url, 'no file can have so long a path', error)
  if (hasSystemCode(error, 'ELOOP')) return notFound(url, 'its symbolic links lead to no file', error)
  if (hasSystemCode(error, 'EACCES', 'EPERM')) {
    return new ChantalError('UPSTREAM_REFUSED', `no permission to read ${shown}`, {
      cause: error,
      details,
      hint: 'Let the user that runs this read the feed.',
    })
  }
  if (hasSystemCode(error, 'EIO', 'ENODEV', 'ENXIO', 'ESTALE', 'ENOMEDIUM', 'ENOTCONN', 'EHOSTDOWN')) {
    return new ChantalError('UPSTREAM_UNREACHABLE', `cannot read ${shown}`, {
      cause: error,
      details,
      hint: 'Check the medium, or the server that the folder is mounted from.',
    })
  }
  return error
}

/** An empty folder is a mount point without its medium. */
async function hasContent(feed: URL): Promise<boolean> {
  const names = await fs.readdir(fileURLToPath(feed)).catch(() => [])
  return names.length > 0
}

function notFound(url: URL, why: string, cause?: unknown): ChantalError {
  const shown = displayUrl(url)
  return new ChantalError('NOT_FOUND', `not found: ${shown}: ${why}`, { cause, details: { url: shown } })
}

function notMounted(feed: URL, cause: unknown): ChantalError {
  const shown = displayUrl(feed)
  return new ChantalError('UPSTREAM_UNREACHABLE', `nothing is at ${shown}`, {
    cause,
    details: { url: shown },
    hint: 'Mount the medium, or correct the path of the feed.',
  })
}
