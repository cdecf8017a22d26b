import type { z } from 'zod'
import type { EcosystemId, RepositoryId } from '../core/model.ts'
import type { DownloadLimits } from '../download/downloader.ts'
import { buildCredentials } from './credentials.ts'
import type { DocumentPath } from './document.ts'
import type { DocumentReader } from './document-reader.ts'
import type { EcosystemConfiguration, EcosystemConfigurations } from './ecosystem-configuration.ts'
import { parseFeed } from './feed.ts'
import { buildFilters } from './filters.ts'
import { refuseIdleParts } from './idle-parts.ts'
import { parsePart } from './issues.ts'
import { mistakesError } from './mistakes.ts'
import { buildProxy } from './proxy.ts'
import { buildRetention } from './retention.ts'
import {
  type downloadSchema,
  fingerprintOf,
  type proxySchema,
  type RepositoryDocument,
  type repositorySchema,
  type sslSchema,
  type verifySchema,
} from './schema.ts'
import type { RepositorySettings, SigningSettings, VerifySettings } from './settings.ts'
import type { signingSchema } from './signing-schema.ts'
import { buildTls, type Part } from './tls.ts'
import { durationOf, parseBandwidth } from './values.ts'

/** The sections that hold for every repository that does not have its own. */
export interface SharedSections {
  readonly download: z.infer<typeof downloadSchema>
  readonly proxy: z.infer<typeof proxySchema> | undefined
  readonly ssl: z.infer<typeof sslSchema> | undefined
  readonly verify: z.infer<typeof verifySchema> | undefined
  readonly signing: z.infer<typeof signingSchema> | undefined
}

/** Built once: a schema costs more than the repositories it parses. */
export interface RepositoryKinds {
  readonly schema: ReturnType<typeof repositorySchema>
  readonly ecosystems: EcosystemConfigurations
}

/** One repository, and its document with defaults filled in. `null` where it does not fit the schema. */
export async function buildRepository(
  path: DocumentPath,
  shared: SharedSections,
  { schema, ecosystems }: RepositoryKinds,
  reader: DocumentReader,
): Promise<{ readonly settings: RepositorySettings; readonly document: RepositoryDocument } | null> {
  const parsed = parsePart(schema, { root: reader.root, path }, reader.mistakes)
  if (!parsed) return null
  const document: RepositoryDocument = parsed.value
  const ecosystem = ecosystems.get(document.type as EcosystemId)
  if (!ecosystem) return null
  refuseForeignParts(ecosystem, ecosystems, path, reader)
  const before = reader.unreadable.length

  const isFiltered = reader.has([...path, 'filters'])
  const mode = document.mode ?? (isFiltered ? 'filtered' : 'mirror')
  if (mode === 'mirror' && isFiltered) {
    reader.wrong(
      [...path, 'filters'],
      'a mirror holds all of upstream: "filters" need "mode: filtered"',
      'Remove "mode" or "filters".',
    )
  }
  if (mode === 'hosted' && isFiltered) {
    reader.wrong(
      [...path, 'filters'],
      'a hosted repository holds what is uploaded: "filters" would do nothing',
    )
  }
  const feed = parseFeed(document, mode === 'hosted', path, reader)
  const at = (key: string) => [...path, key]
  const own = <T>(key: string, value: T): Part<T> => ({ value, path: at(key) })
  const common = <T>(key: string, value: T): Part<T> => ({ value, path: [key] })
  const ownFilters = parsePart(
    ecosystem.filters,
    { root: reader.root, path: [...path, 'filters', ecosystem.filterKey] },
    [],
  )
  const options = parsePart(ecosystem.options, { root: reader.root, path: at(ecosystem.id) }, reader.mistakes)
  refuseIdleParts(ecosystem, mode, options?.value ?? null, path, reader)
  const settings: RepositorySettings = {
    id: document.id as RepositoryId,
    name: document.name ?? null,
    ecosystem: ecosystem.id,
    enabled: document.enabled,
    mode,
    feed: feed?.feed ?? null,
    onMissing: document.on_missing,
    tags: document.tags,
    credentials: await buildCredentials(document.auth, feed?.credentials ?? null, at('auth'), reader),
    proxy: document.proxy
      ? await buildProxy(document.proxy, at('proxy'), reader)
      : await buildProxy(shared.proxy, ['proxy'], reader),
    tls: await buildTls(
      own('ssl', document.ssl),
      common('ssl', shared.ssl),
      own('auth', document.auth),
      reader,
    ),
    download: buildLimits(document.download, shared.download),
    verify: await buildVerify(
      own('verify', document.verify),
      common('verify', shared.verify),
      ecosystem,
      reader,
    ),
    signing:
      document.signing === undefined
        ? await buildSigning(common('signing', shared.signing), reader)
        : await buildSigning(own('signing', document.signing), reader),
    filters: buildFilters(
      document.filters,
      reader.has([...path, 'filters', ecosystem.filterKey]) ? (ownFilters?.value ?? null) : null,
      at('filters'),
      reader,
    ),
    retention: buildRetention(document.retention),
    options: options?.value ?? {},
    problems: reader.unreadable.slice(before).map((mistake) => mistakesError([mistake])),
  }
  return { settings, document: { ...document, mode, [ecosystem.id]: settings.options } }
}

/** Builds the shared sections once without a repository, so that their mistakes show where every repository has its own. */
export async function checkShared(shared: SharedSections, reader: DocumentReader): Promise<void> {
  const part = <T>(key: string, value: T): Part<T> => ({ value, path: [key] })
  const none = { value: undefined, path: [] }
  await buildProxy(shared.proxy, ['proxy'], reader)
  await buildTls(none, part('ssl', shared.ssl), none, reader)
  await buildVerify(none, part('verify', shared.verify), null, reader)
  await buildSigning(part('signing', shared.signing), reader)
}

/** Another ecosystem's options or filters would do nothing: better said than ignored. */
function refuseForeignParts(
  ecosystem: EcosystemConfiguration,
  ecosystems: EcosystemConfigurations,
  path: DocumentPath,
  reader: DocumentReader,
): void {
  for (const other of ecosystems.values()) {
    if (other.id === ecosystem.id) continue
    const refuse = (key: string, at: DocumentPath) => {
      if (!reader.has(at)) return
      reader.wrong(
        at,
        `"${key}" is for repositories of type ${other.id}; this one is of type ${ecosystem.id}`,
      )
    }
    refuse(other.id, [...path, other.id])
    if (other.filterKey !== ecosystem.filterKey)
      refuse(other.filterKey, [...path, 'filters', other.filterKey])
  }
}

function buildLimits(
  own: RepositoryDocument['download'],
  shared: SharedSections['download'],
): DownloadLimits {
  return {
    perHost: own?.per_host ?? shared.per_host,
    retries: own?.retries ?? shared.retries,
    timeoutMs: durationOf(own?.timeout ?? shared.timeout),
    stallTimeoutMs: durationOf(own?.stall_timeout ?? shared.stall_timeout),
    bandwidth: own?.bandwidth_limit === undefined ? null : parseBandwidth(own.bandwidth_limit),
  }
}

type VerifyPart = Part<z.infer<typeof verifySchema> | undefined>

async function buildVerify(
  own: VerifyPart,
  shared: VerifyPart,
  ecosystem: EcosystemConfiguration | null,
  reader: DocumentReader,
): Promise<VerifySettings> {
  const source = own.value?.keys === undefined ? shared : own
  const texts = source.value?.keys ?? []
  const fingerprints = own.value?.fingerprints ?? source.value?.fingerprints ?? []
  const metadata = own.value?.metadata ?? shared.value?.metadata ?? (texts.length > 0 ? 'require' : 'off')
  if (texts.length === 0 && (metadata === 'require' || fingerprints.length > 0)) {
    const key =
      metadata === 'require' && (own.value?.metadata ?? shared.value?.metadata) ? 'metadata' : 'fingerprints'
    const at = own.value?.[key] === undefined ? shared : own
    reader.wrong([...at.path, key], `"${key}" needs "keys": nothing could be verified`)
  }
  const packages = wantedOfPackages(own, shared, ecosystem, texts.length > 0, reader)
  const keys: Uint8Array[] = []
  for (const [index, text] of texts.entries()) {
    const isInline = text.trimStart().startsWith('-----BEGIN ')
    const bytes = isInline
      ? new TextEncoder().encode(text)
      : await reader.bytes([...source.path, 'keys', index], text)
    if (bytes) keys.push(bytes)
  }
  return {
    metadata,
    packages,
    weakDigests: own.value?.weak_digests ?? shared.value?.weak_digests ?? [],
    keys,
    fingerprints: fingerprints.map(fingerprintOf),
  }
}

/** The shared section says it for those repositories whose packages carry signatures. */
function wantedOfPackages(
  own: VerifyPart,
  shared: VerifyPart,
  ecosystem: EcosystemConfiguration | null,
  hasKeys: boolean,
  reader: DocumentReader,
): VerifySettings['packages'] {
  const said = own.value?.packages ?? shared.value?.packages
  if (ecosystem && ecosystem.packageSignatures === null) {
    for (const key of ['packages', 'weak_digests'] as const) {
      if (own.value?.[key] !== undefined)
        reader.wrong([...own.path, key], `packages of ${ecosystem.title} repositories carry no signatures`)
    }
    return 'off'
  }
  if (said !== undefined && said !== 'off' && !hasKeys) {
    const at = own.value?.packages === undefined ? shared : own
    reader.wrong([...at.path, 'packages'], '"packages" needs "keys": nothing could be verified')
  }
  return said ?? (hasKeys ? 'require' : 'off')
}

type SigningPart = Part<z.infer<typeof signingSchema> | false | undefined>

/** A key that cannot be read is an empty one, not none: what was to be signed must not go out unsigned. */
export async function buildSigning(
  { value, path }: SigningPart,
  reader: DocumentReader,
): Promise<SigningSettings | null> {
  if (!value) return null
  const key = (await reader.text([...path, 'key_file'], value.key_file)) ?? ''
  const passphrase = await reader.secret(path, 'passphrase', {
    value: value.passphrase,
    file: value.passphrase_file,
  })
  return { key, passphrase }
}
