import { createHash } from 'node:crypto'
import type { RepositorySettings } from '../../config/settings.ts'
import type { Json } from '../../core/brand.ts'
import type { Sha256 } from '../../core/digest.ts'
import { parseSha256 } from '../../core/digest.ts'
import type { Checkpoint } from '../../core/model.ts'
import type { Feed, Validators } from '../../download/downloader.ts'

/** A document that upstream serves under a fixed name, as it was at the last sync that looked. */
export interface RememberedDocument {
  /** `null` where a program wrote this that did not note whose they are. */
  readonly validators: Validators | null
  readonly digest: Sha256
  readonly size: number
}

/** What the engine remembers of upstream, between syncs. */
export interface SyncCheckpoint {
  /** Of the settings that decide what a revision holds. Where they changed, upstream is read anew. */
  readonly fingerprint: string
  /** Of the feed that was read, see {@link feedDigests}; `null` where a program wrote this that did not note it. */
  readonly feed: readonly string[] | null
  readonly documents: ReadonlyMap<string, RememberedDocument>
  /** `null` where the next sync has to look at everything: packages were missing. */
  readonly ecosystem: Checkpoint
  /** What the feed must not fall behind: see `ReadRequest.newestSeen`. */
  readonly newestSeen: Checkpoint
}

export function encodeCheckpoint(checkpoint: SyncCheckpoint): Json {
  const documents = [...checkpoint.documents].map(([path, { validators, digest, size }]) => [
    path,
    {
      etag: validators?.etag ?? null,
      last_modified: validators?.lastModified ?? null,
      origin: validators?.origin ?? null,
      digest,
      size,
    },
  ])
  return {
    fingerprint: checkpoint.fingerprint,
    feed: checkpoint.feed,
    documents: Object.fromEntries(documents),
    ecosystem: checkpoint.ecosystem,
    newest_seen: checkpoint.newestSeen,
  }
}

/** `null` where there is none, or it was written by a program that noted other things: then upstream is read anew. */
export function decodeCheckpoint(json: Json): SyncCheckpoint | null {
  if (!isObject(json) || typeof json['fingerprint'] !== 'string' || !isObject(json['documents'])) return null
  const documents = new Map<string, RememberedDocument>()
  for (const [path, note] of Object.entries(json['documents'])) {
    const document = decodeDocument(note)
    if (document) documents.set(path, document)
  }
  const { fingerprint, feed, ecosystem = null, newest_seen: newestSeen = ecosystem } = json
  return {
    fingerprint,
    feed: Array.isArray(feed) ? feed.filter((digest) => typeof digest === 'string') : null,
    documents,
    ecosystem,
    // Where a program did not tell the two apart, the ecosystem's note says both.
    newestSeen,
  }
}

function decodeDocument(note: Json): RememberedDocument | null {
  if (!isObject(note) || typeof note['digest'] !== 'string' || typeof note['size'] !== 'number') return null
  const origin = textOrNull(note['origin'])
  const [etag, lastModified] = [textOrNull(note['etag']), textOrNull(note['last_modified'])]
  return {
    validators: origin === null ? null : { etag, lastModified, origin },
    digest: parseSha256(note['digest']),
    size: note['size'],
  }
}

/**
 * What tells whether it is the same upstream as before: one URL that both feeds have is enough. Holds no secret: the query of a mirror may be a
 * token, and a renewed token is no other upstream; that of a list says which list it is.
 */
export function feedDigests(feed: Feed | null): readonly string[] {
  if (!feed) return []
  const places = feed.kind === 'urls' ? feed.urls.map(placeOf) : [placeOf(feed.url) + feed.url.search]
  return places.map((place) => createHash('sha256').update(place).digest('hex'))
}

const placeOf = ({ host, pathname }: URL) => `${host}${pathname.replace(/\/*$/, '/')}`

/** Whether a checkpoint is of the feed with these digests. */
export function isOfFeed(
  checkpoint: SyncCheckpoint,
  { feed, fingerprint }: Pick<SyncCheckpoint, 'fingerprint'> & { readonly feed: readonly string[] },
): boolean {
  if (checkpoint.feed === null) return checkpoint.fingerprint === fingerprint
  return checkpoint.feed.some((digest) => feed.includes(digest))
}

/** Equal for settings under which the same upstream gives the same revision. Holds no secret. */
export function settingsFingerprint(settings: RepositorySettings, hasRecords: boolean): string {
  const { feed, mode, filters, options, ecosystem, onMissing, verify } = settings
  const parts = {
    feed: feed && {
      kind: feed.kind,
      urls: feed.kind === 'urls' ? feed.urls.map(hashed) : [hashed(feed.url)],
    },
    mode,
    hasRecords,
    filters,
    options,
    ecosystem,
    onMissing,
    verify: { ...verify, keys: verify.keys.map((key) => createHash('sha256').update(key).digest('hex')) },
  }
  // A RegExp is an empty object to JSON.
  const text = JSON.stringify(parts, (_, value: unknown) => (value instanceof RegExp ? String(value) : value))
  return createHash('sha256').update(text).digest('hex')
}

/** A feed's query may be a token. */
const hashed = (url: URL) => createHash('sha256').update(url.href).digest('hex')

const isObject = (json: Json | undefined): json is { readonly [key: string]: Json } =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const textOrNull = (json: Json | undefined) => (typeof json === 'string' ? json : null)
