import * as z from 'zod'
import type { Json } from '../core/brand.ts'
import { nearest } from '../core/nearest.ts'
import { buildDatabase } from './database.ts'
import { type MappingNode, nodeAt } from './document.ts'
import { DocumentReader } from './document-reader.ts'
import type { EcosystemConfigurations } from './ecosystem-configuration.ts'
import { findConfiguration, readConfiguration, type Surroundings } from './files.ts'
import { keysAt, parsePart } from './issues.ts'
import { at, type Mistake, mistakesError, showMistake } from './mistakes.ts'
import { translatePythonChantal } from './python-chantal.ts'
import { buildRepository, checkShared, type SharedSections } from './repository.ts'
import {
  databaseSchema,
  documentSchema,
  downloadSchema,
  limitsSchema,
  proxySchema,
  publishSchema,
  repositorySchema,
  sslSchema,
  storageSchema,
  verifySchema,
  viewSchema,
} from './schema.ts'
import type { ConfigurationNotice, RepositorySettings, Settings, ViewSettings } from './settings.ts'
import { signingSchema } from './signing-schema.ts'
import { durationOf, parseBandwidth, sizeOf } from './values.ts'
import { buildViews } from './views.ts'

export interface ConfigurationRequest extends Surroundings {
  readonly ecosystems: EcosystemConfigurations
  /** Decides which certificates are still valid. */
  readonly now: Date
}

/** A configuration as it was loaded: what the program uses, and what `config check` and `config show` look at. */
export interface Configuration {
  readonly settings: Settings
  /** All files as one document, with places. Holds secrets. */
  readonly root: MappingNode
  /** The document with defaults filled in. Holds secrets. */
  readonly resolved: Json
}

/**
 * Finds, reads and checks the whole configuration. Files that it names and that cannot be read do not stop it: they are in
 * `problems` of the repository that needs them. Only the file with the catalog's password does, which every repository needs.
 * @throws ChantalError `CONFIG_MISSING`; `CONFIG_INVALID` naming every mistake, each with its file, line, column and path
 */
export async function loadConfiguration(request: ConfigurationRequest): Promise<Configuration> {
  const { ecosystems, environment, now } = request
  const mistakes: Mistake[] = []
  const notices: ConfigurationNotice[] = []
  const say = (code: ConfigurationNotice['code'], messages: readonly string[]) =>
    void notices.push(...messages.map((message) => ({ code, message })))
  const main = await findConfiguration(request)
  const schema = repositorySchema(ecosystems)
  let keys: unknown
  const isKnown = (path: readonly string[]) => {
    keys ??= z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
    return keysAt(keys, path.slice(0, -1)).includes(path.at(-1) ?? '')
  }
  const { root, files, emptyIncludes } = await readConfiguration(
    main,
    request,
    (document) => say('CONFIG_TRANSLATED', translatePythonChantal(document, isKnown)),
    mistakes,
  )
  say(
    'CONFIG_FILE_MISSING',
    emptyIncludes.map(({ place, pattern }) => `${at(place)}: include ${pattern} matches no file`),
  )

  const reader = new DocumentReader(root, environment, now, mistakes)
  refuseUnknownSections(root, ecosystems, mistakes)
  const part = <T>(schema: z.ZodType<T>, key: string): T =>
    parsePart(schema, { root, path: [key] }, mistakes)?.value ?? schema.parse({})
  const optional = <T>(schema: z.ZodType<T>, key: string): T | undefined =>
    isGiven(root, key) ? parsePart(schema, { root, path: [key] }, mistakes)?.value : undefined

  const storage = part(storageSchema, 'storage')
  const basePath = reader.resolve(['storage', 'base_path'], storage.base_path)
  const download = part(downloadSchema, 'download')
  const publish = part(publishSchema, 'publish')
  const limits = part(limitsSchema, 'limits')
  const database = part(databaseSchema, 'database')
  const shared: SharedSections = {
    download,
    proxy: optional(proxySchema, 'proxy'),
    ssl: optional(sslSchema, 'ssl'),
    verify: optional(verifySchema, 'verify'),
    signing: optional(signingSchema, 'signing'),
  }
  await checkShared(shared, reader)
  const unreadable = reader.unreadable.splice(0)
  const repositories: RepositorySettings[] = []
  const documents: Json[] = []
  for (const path of itemsOf('repositories')) {
    const built = await buildRepository(path, shared, { schema, ecosystems }, reader)
    if (!built) continue
    repositories.push(built.settings)
    documents.push(toJson(built.document))
  }
  const parsedViews = itemsOf('views').flatMap((path) => {
    const view = parsePart(viewSchema, { root, path }, mistakes)
    return view ? [{ document: view.value, path }] : []
  })
  const views: ViewSettings[] = await buildViews(parsedViews, itemsOf('repositories'), shared, reader)
  const known = new Set(reader.unreadable.map(showMistake))
  say(
    'CONFIG_FILE_MISSING',
    unreadable.map(showMistake).filter((problem) => !known.has(problem)),
  )
  const settings: Settings = {
    files,
    database: await buildDatabase(database, `${basePath}/chantal.db`, reader),
    storage: {
      basePath,
      poolPath:
        storage.pool_path === undefined
          ? `${basePath}/pool`
          : reader.resolve(['storage', 'pool_path'], storage.pool_path),
      publishedPath:
        storage.published_path === undefined
          ? `${basePath}/published`
          : reader.resolve(['storage', 'published_path'], storage.published_path),
    },
    download: {
      concurrency: download.concurrency,
      perHost: download.per_host,
      bandwidth: download.bandwidth_limit === undefined ? null : parseBandwidth(download.bandwidth_limit),
    },
    publish: { keepGenerations: publish.keep_generations, graceMs: durationOf(publish.grace) },
    limits: {
      rootDocument: sizeOf(limits.root_document),
      metadata: sizeOf(limits.metadata),
      decompressedRatio: limits.decompressed_ratio,
      decompressedMinimum: sizeOf(limits.decompressed_minimum),
      package: sizeOf(limits.package),
    },
    repositories,
    views,
    notices,
  }
  // A shared section is built for each repository, and its mistakes are found as often.
  const [first, ...others] = new Map(mistakes.map((mistake) => [showMistake(mistake), mistake])).values()
  if (first) throw mistakesError([first, ...others])
  const resolved = toJson({
    database: { ...database, url: database.url ?? `sqlite:///${basePath}/chantal.db` },
    storage: {
      base_path: basePath,
      pool_path: settings.storage.poolPath,
      published_path: settings.storage.publishedPath,
    },
    ...shared,
    publish,
    limits,
    repositories: documents,
    views: parsedViews.map(({ document }) => document),
  })
  return { settings, root, resolved }

  function itemsOf(key: 'repositories' | 'views'): (readonly [string, number])[] {
    const node = nodeAt(root, [key])
    if (!node || (node.kind === 'scalar' && node.value === null)) return []
    if (node.kind === 'sequence') return node.items.map((_, index) => [key, index] as const)
    reader.wrong([key], `expected a list of ${key}, each starting with "- "`)
    return []
  }
}

function refuseUnknownSections(
  root: MappingNode,
  ecosystems: EcosystemConfigurations,
  mistakes: Mistake[],
): void {
  const known = Object.keys(documentSchema(ecosystems).shape)
  for (const [key, { keyPlace }] of root.entries) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    const hint = near === null ? `Known here: ${known.sort().join(', ')}.` : `Did you mean "${near}"?`
    mistakes.push({ place: keyPlace, path: key, problem: `unknown key ${JSON.stringify(key)}`, hint })
  }
}

function isGiven(root: MappingNode, key: string): boolean {
  const node = nodeAt(root, [key])
  return node !== null && !(node.kind === 'scalar' && node.value === null)
}

/** Drops what is `undefined` and shows what JSON has no word for. */
function toJson(value: unknown): Json {
  if (value instanceof RegExp) return value.source
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Set) return toJson([...value])
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, toJson(item)]])),
    )
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
