import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ChantalError } from '../core/errors.ts'
import { displayUrl } from './display-url.ts'
import type { UpstreamProbe } from './downloader.ts'
import { answerTo, type RequestContext } from './redirects.ts'
import { explainStatus } from './upstream-errors.ts'

/** Answers that no file would be given after, now or at all. A root that is forbidden or not there may have files below it. */
const isRefusal = (status: number) => [401, 407, 408, 425, 429].includes(status) || status >= 500

/** See `Downloader.probe`. @param root of a mirror */
export async function probe(
  requests: RequestContext,
  root: URL,
  signal: AbortSignal,
): Promise<UpstreamProbe> {
  const shown = { url: displayUrl(root), host: root.host }
  if (root.protocol === 'file:') {
    await readFolder(root)
    return { ...shown, status: null, date: null }
  }
  const { response, target } = await answerTo(requests, root, {}, signal)
  response.discard()
  if (isRefusal(response.status)) throw explainStatus(response.status, target)
  const date = new Date(response.header('date') ?? '')
  return {
    ...shown,
    // The clock is that of whoever answered.
    host: target.host,
    status: response.status,
    date: Number.isNaN(date.getTime()) ? null : date,
  }
}

async function readFolder(root: URL): Promise<void> {
  try {
    await readdir(fileURLToPath(root))
  } catch (cause) {
    throw new ChantalError('UPSTREAM_UNREACHABLE', `cannot read ${displayUrl(root)}`, {
      cause,
      hint: 'Check that the folder of the feed is mounted, and that this user may read it.',
      details: { url: displayUrl(root) },
    })
  }
}
