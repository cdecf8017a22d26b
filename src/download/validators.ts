import { hash } from 'node:crypto'
import type { Validators } from './downloader.ts'
import type { HttpResponse } from './request.ts'

/** What an answer says of the state of `url`. @param response `null` where there was none, and the state is unknown */
export function validatorsOf(url: URL, response: Pick<HttpResponse, 'header'> | null): Validators {
  return {
    etag: response?.header('etag') ?? null,
    lastModified: response?.header('last-modified') ?? null,
    origin: originOf(url),
  }
}

/** Those that may be sent to `url`: its own. Another server would hold them against states that are not the same, and call a new one unchanged. */
export function validatorsFor(url: URL, since: Validators | null): Validators | null {
  return since && since.origin === originOf(url) ? since : null
}

/** A digest, since they are stored and a query may be a token. */
export function originOf(url: URL): string {
  return hash('sha256', url.href, 'hex')
}
