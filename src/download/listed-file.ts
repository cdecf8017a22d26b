import { hash } from 'node:crypto'
import type { ByteSource } from '../core/bytes.ts'
import type { ChecksumAlgorithm } from '../core/digest.ts'
import { ChantalError, isChantalError } from '../core/errors.ts'
import type { UpstreamFile } from '../core/model.ts'
import { displayUrl } from './display-url.ts'
import type { FetchResult, MetalinkFile, Validators } from './downloader.ts'
import type { MetalinkState } from './metalink.ts'
import type { Mirrors } from './mirrors.ts'
import type { HttpResponse } from './request.ts'
import { describe, type Progress, type TransferContext } from './transfer.ts'
import { validatorsOf } from './validators.ts'

/** Whether the metalink vouches for `file`: by name, and only where it states a checksum at all. */
export function isListed(file: UpstreamFile, metalink: MetalinkFile): boolean {
  const isNamed =
    file.location === metalink.name || `/${file.location}`.endsWith(`/repodata/${metalink.name}`)
  return isNamed && [metalink, ...metalink.alternates].some((state) => state.checksums.length > 0)
}

export interface ListedFileRequest {
  readonly metalink: MetalinkFile
  readonly file: UpstreamFile
  readonly mirrors: Mirrors
  tryMirrors<Result>(attempt: (url: URL, feed: URL, progress: Progress) => Promise<Result>): Promise<Result>
  readonly transfers: TransferContext
  readonly signal: AbortSignal
}

/** An older state that a mirror serves. */
interface Alternate {
  readonly feed: URL
  readonly answer: Answer
  readonly state: MetalinkState
  /** 0 is the newest. */
  readonly age: number
}

interface Answer {
  readonly bytes: Uint8Array
  readonly validators: Validators
  readonly url: URL
  readonly contentType: string | null
  /** Of the bytes, in hex: computed once, however many states they are compared with. */
  digest(algorithm: ChecksumAlgorithm): string
}

/**
 * Fetches the document that a metalink lists. The current state is wanted; where no mirror has it, the newest alternate that one
 * serves is taken, with a warning. The request is never conditional: “not changed” from a stale mirror would hide a newer state.
 * @throws ChantalError `UPSTREAM_STALE` where every mirror serves bytes that the metalink does not know, and as `UpstreamClient.fetch`
 */
export async function fetchListed(request: ListedFileRequest): Promise<FetchResult> {
  const { metalink, mirrors, tryMirrors } = request
  const alternates: Alternate[] = []
  try {
    return await tryMirrors(async (url, feed) => {
      const answer = await readAnswer(request, url)
      if (matches(answer, metalink)) return keep(request, answer, metalink)
      const age = metalink.alternates.findIndex((state) => matches(answer, state))
      const state = metalink.alternates[age]
      if (state) alternates.push({ feed, answer, state, age })
      const reason = state
        ? `it serves ${metalink.name} of ${dateOf(state)}`
        : unlistedReason(metalink, answer)
      mirrors.demoteStale(feed, reason)
      throw new ChantalError('UPSTREAM_STALE', `${displayUrl(url)} is stale: ${reason}`, {
        details: { url: displayUrl(url) },
        hint: 'The mirrors may be mid-update. Try again later.',
      })
    })
  } catch (error) {
    request.signal.throwIfAborted()
    const [newest] = alternates.sort((a, b) => a.age - b.age)
    if (!newest || !isChantalError(error)) throw error
    mirrors.acceptStale(
      newest.feed,
      `it serves the newest state that any mirror has, ${dateOf(newest.state)}`,
    )
    return keep(request, newest.answer, newest.state)
  }
}

async function readAnswer({ transfers, file, signal }: ListedFileRequest, url: URL): Promise<Answer> {
  const response = await transfers.send(url, {}, signal)
  try {
    const bytes = response.whole ?? (await collect(response.stream(), file.expect.maxSize))
    const digests = new Map<ChecksumAlgorithm, string>()
    return {
      bytes,
      validators: validatorsOf(url, response),
      contentType: response.header('content-type'),
      url,
      digest(algorithm) {
        const hex = digests.get(algorithm) ?? hash(algorithm, bytes, 'hex')
        digests.set(algorithm, hex)
        return hex
      },
    }
  } catch (error) {
    signal.throwIfAborted()
    throw isChantalError(error) ? describe(error, response, url) : transfers.explain(error, url)
  }
}

async function collect(source: ByteSource, maxSize: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    size += chunk.byteLength
    if (size > maxSize) {
      throw new ChantalError('SIZE_LIMIT', `more than ${maxSize} bytes`, {
        details: { limit_bytes: maxSize },
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function keep({ file, transfers }: ListedFileRequest, answer: Answer, state: MetalinkState): FetchResult {
  const expect = { ...file.expect, checksums: [...file.expect.checksums, ...state.checksums] }
  try {
    const blob = transfers.pool.receiveWhole(answer.bytes, expect)
    return { status: 'fetched', blob, validators: answer.validators, url: displayUrl(answer.url) }
  } catch (error) {
    throw describe(error, headersOf(answer), answer.url)
  }
}

function headersOf(answer: Answer): Pick<HttpResponse, 'header'> {
  return { header: (name) => (name === 'content-type' ? answer.contentType : null) }
}

function matches({ bytes, digest }: Answer, state: MetalinkState): boolean {
  if (state.checksums.length === 0 || (state.size !== null && state.size !== bytes.byteLength)) return false
  return state.checksums.every(({ algorithm, hex }) => digest(algorithm) === hex)
}

function unlistedReason(metalink: MetalinkFile, { contentType }: Answer): string {
  const page = /html/i.test(contentType ?? '') ? ' (an HTML page, perhaps a login or error page)' : ''
  return `its ${metalink.name} is none that the metalink lists${page}`
}

function dateOf(state: MetalinkState): string {
  return state.timestamp === null ? 'an earlier time' : new Date(state.timestamp * 1000).toISOString()
}
