import * as z from 'zod'
import { namePattern } from '../core/model.ts'
import type { EcosystemConfigurations } from './ecosystem-configuration.ts'
import { filtersSchema } from './filter-schema.ts'
import { retentionSchema } from './retention.ts'
import { ownSigning, signingSchema } from './signing-schema.ts'
import { bandwidth, duration, size } from './values.ts'

const count = (min: number, max: number) => z.int().min(min).max(max)
const texts = z.array(z.string())
const path = z.string().min(1)

export const databaseSchema = z
  .strictObject({
    url: z
      .string()
      .optional()
      .describe('sqlite:///FILE or postgresql://user@host/name. Default: chantal.db in storage.base_path.'),
    password_file: path
      .optional()
      .describe('File that holds the password of a PostgreSQL database. PGPASSWORD and the URL work too.'),
  })
  .describe('Where the catalog is kept.')

export const storageSchema = z
  .strictObject({
    base_path: path.default('/var/lib/chantal').describe('Folder that the other paths default into.'),
    pool_path: path.optional().describe('Folder of the content-addressed pool. Default: pool in base_path.'),
    published_path: path
      .optional()
      .describe('Folder of the published trees, for a web server. Default: published in base_path.'),
  })
  .describe('Where files are kept. Relative paths start at the folder of the file that names them.')

const downloadKeys = {
  per_host: count(1, 1000).describe('Requests in flight to one host.'),
  retries: count(0, 100).describe('Further tries of a file after the first.'),
  timeout: duration.describe(
    'To connect, and to the first byte of an answer. A whole file may take as long as it takes.',
  ),
  stall_timeout: duration.describe('Without a byte while a file arrives.'),
}
const bandwidthLimit = bandwidth.optional().describe('Bytes a second, such as 50MB/s. Default: unlimited.')

export const downloadSchema = z
  .strictObject({
    concurrency: count(1, 1000).default(16).describe('Requests in flight over all repositories.'),
    per_host: downloadKeys.per_host.default(8),
    retries: downloadKeys.retries.default(4),
    timeout: downloadKeys.timeout.default('30s'),
    stall_timeout: downloadKeys.stall_timeout.default('60s'),
    bandwidth_limit: bandwidthLimit,
  })
  .describe('How files are fetched.')

const repositoryDownloadSchema = z
  .strictObject({
    per_host: downloadKeys.per_host.optional(),
    retries: downloadKeys.retries.optional(),
    timeout: downloadKeys.timeout.optional(),
    stall_timeout: downloadKeys.stall_timeout.optional(),
    bandwidth_limit: bandwidthLimit,
  })
  .describe('How files of this repository are fetched; what is not given here is as under download.')

export const proxySchema = z
  .strictObject({
    http_proxy: z.string().optional().describe('URL of the proxy for http: upstreams.'),
    https_proxy: z.string().optional().describe('URL of the proxy for https: upstreams.'),
    no_proxy: z
      .union([z.string(), texts], { error: 'expected hosts, as a list or separated by commas' })
      .optional()
      .describe('Hosts that are reached directly: names, .suffix, *, with an optional :port; IPv4 networks.'),
    username: z.string().optional().describe('User name at the proxy.'),
    password: z.string().optional().describe('Password at the proxy.'),
    password_file: path.optional().describe('File that holds the password at the proxy.'),
  })
  .describe(
    'Proxies on the way to upstreams. A repository that has its own takes nothing from the shared one.',
  )

export const sslSchema = z
  .strictObject({
    ca_bundle: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of authorities that replaces the built-in ones, or the PEM text.'),
    verify: z
      .boolean()
      .optional()
      .describe(
        "Whether upstream certificates are checked: the feed's, and those of mirrors and targets of redirects. Default: true.",
      ),
    client_cert: path
      .optional()
      .describe("PEM file of a client certificate. Shown to the feed's own origin only, as `auth` is."),
    client_key: path.optional().describe('PEM file of its private key.'),
  })
  .describe(
    'TLS towards upstreams. A repository takes each key that it does not give from the shared section.',
  )

export const verifySchema = z
  .strictObject({
    keys: texts.optional().describe('Public keys that upstream may sign with: files, or ASCII-armored text.'),
    fingerprints: z
      .array(
        z
          .string()
          .refine(
            (text) => /^([0-9A-F]{40}|[0-9A-F]{64})$/.test(fingerprintOf(text)),
            'expected a fingerprint of 40 or 64 hex digits; a short key id is not enough',
          ),
      )
      .optional()
      .describe('Of keys, only the ones with these fingerprints count.'),
    metadata: z
      .enum(['require', 'off'])
      .optional()
      .describe(
        'Whether metadata must carry a signature by one of the keys. Default: require where keys are given, else off.',
      ),
    packages: z
      .enum(['require', 'warn', 'off'])
      .optional()
      .describe(
        'Whether every package must carry a signature by one of the keys. Default: require where keys are given, else off. Only for repositories whose packages carry signatures: rpm.',
      ),
    weak_digests: z
      .array(z.enum(['sha1', 'md5']))
      .optional()
      .describe(
        'Digests that can be forged, and that signatures of packages may use all the same. Default: none.',
      ),
  })
  .describe(
    'Signatures of upstream. A repository that gives keys takes neither keys nor fingerprints from the shared section.',
  )

export const publishSchema = z
  .strictObject({
    keep_generations: count(1, 1000)
      .default(3)
      .describe('Published states kept for a rollback, the current one included.'),
    grace: duration
      .default('6h')
      .describe('How long clients midway still find the files of the state before.'),
  })
  .describe('How trees are published.')

export const limitsSchema = z
  .strictObject({
    root_document: size
      .default('32MiB')
      .describe('repomd.xml, InRelease, Release, index.yaml, a metalink or mirrorlist.'),
    metadata: size.default('1GiB').describe('Other metadata, where the document above states no size.'),
    decompressed_ratio: count(1, 100_000)
      .default(200)
      .describe('Decompressed metadata of no stated size: times the compressed size.'),
    decompressed_minimum: size.default('64MiB').describe('The least that decompressed metadata may take.'),
    package: size.default('16GiB').describe('A package of no stated size.'),
  })
  .describe('Bytes that are read from upstream at most.')

const secretHeader = z.union(
  [z.string(), z.strictObject({ file: path.describe('File that holds the value.') })],
  {
    error: 'expected text, or {file: PATH}',
  },
)

export const authSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('basic'),
      username: z.string().describe('User name.'),
      password: z.string().optional().describe('Password.'),
      password_file: path.optional().describe('File that holds the password.'),
    }),
    z.strictObject({
      type: z.literal('bearer'),
      token: z.string().optional().describe('Token.'),
      token_file: path.optional().describe('File that holds the token.'),
    }),
    z.strictObject({
      type: z.literal('headers'),
      headers: z
        .record(z.string(), secretHeader)
        .describe('Headers sent with every request; a value is text or {file: PATH}.'),
    }),
    z.strictObject({
      type: z.literal('client_cert'),
      cert: path.optional().describe('PEM file of the certificate.'),
      key: path.optional().describe('PEM file of its private key.'),
      cert_dir: path
        .optional()
        .describe(
          'Folder of a RHEL subscription, /etc/pki/entitlement: the newest valid SERIAL.pem with its SERIAL-key.pem.',
        ),
    }),
  ])
  .describe(
    "How to log in upstream. Sent, or shown, to the feed's own origin only: same scheme, host and port. For a mirrorlist or metalink that is the list's, not that of the mirrors in it.",
  )

export const viewSchema = z
  .strictObject({
    name: name('view'),
    description: z.string().optional().describe('For people.'),
    repos: z
      .array(z.string())
      .min(1)
      .describe('Ids of the repositories that are published together, all of one type.'),
    signing: ownSigning,
    retention: retentionSchema.optional(),
  })
  .describe('Several repositories published as one.')

const includeSchema = z
  .union([z.string(), texts], { error: 'expected a pattern of files, or a list of them' })
  .describe(
    'Further files, as patterns relative to this one. They may hold any section; the same key twice is an error.',
  )

/** The whole document. Strict at every level; ecosystems bring their own parts. */
export function documentSchema(ecosystems: EcosystemConfigurations) {
  return z.strictObject({
    database: databaseSchema.optional(),
    storage: storageSchema.optional(),
    download: downloadSchema.optional(),
    proxy: proxySchema.optional(),
    ssl: sslSchema.optional(),
    verify: verifySchema.optional(),
    signing: signingSchema.optional(),
    publish: publishSchema.optional(),
    limits: limitsSchema.optional(),
    include: includeSchema.optional(),
    repositories: z.array(repositorySchema(ecosystems)).optional().describe('The repositories.'),
    views: z.array(viewSchema).optional().describe('The views.'),
  })
}

export type RepositoryDocument = z.infer<ReturnType<typeof repositorySchema>>

/** One repository. The options of every ecosystem are known keys here; that they fit its `type` is checked apart. */
export function repositorySchema(ecosystems: EcosystemConfigurations) {
  const options = Object.fromEntries(
    [...ecosystems.values()].map(({ id, title, options }) => [
      id,
      options.optional().describe(`Options of ${title} repositories.`),
    ]),
  )
  return z.strictObject({
    ...options,
    id: name('repository'),
    name: z.string().optional().describe('For people.'),
    type: z.enum([...ecosystems.keys()].map(String)).describe('The kind of repository.'),
    enabled: z.boolean().default(true).describe('Whether --all includes it.'),
    feed: z.string().optional().describe('URL of upstream: http, https or file.'),
    feeds: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('URLs of equal mirrors of upstream, tried in order.'),
    mirrorlist: z
      .string()
      .optional()
      .describe('URL of a list of mirrors. At most the first thousand are used.'),
    metalink: z
      .string()
      .optional()
      .describe(
        'URL of a metalink, which lists mirrors of a `repomd.xml`. At most the thousand that it prefers are used.',
      ),
    mode: z
      .enum(['mirror', 'filtered', 'hosted'])
      .optional()
      .describe(
        'mirror republishes upstream as it is, filtered a selection under our signature, hosted what is uploaded. Default: mirror, or filtered where filters are given.',
      ),
    on_missing: z
      .enum(['fail', 'skip'])
      .default('fail')
      .describe('What becomes of packages that upstream lists and answers 404 or 410 for.'),
    tags: texts.default([]).describe('Words to find it by.'),
    auth: authSchema.optional(),
    proxy: proxySchema.optional(),
    ssl: sslSchema.optional(),
    verify: verifySchema.optional(),
    signing: ownSigning,
    download: repositoryDownloadSchema.optional(),
    filters: filtersSchema(ecosystems).optional(),
    retention: retentionSchema.optional(),
  })
}

/** A fingerprint as it is compared: upper case, without spaces. */
export function fingerprintOf(text: string): string {
  return text.replaceAll(/[\s:]/g, '').replace(/^0x/i, '').toUpperCase()
}

function name(what: string) {
  return z
    .string()
    .regex(namePattern, 'expected lower-case letters, digits, ".", "_" and "-", with a letter or digit first')
    .describe(`Name of the ${what}, unlike that of any other repository or view.`)
}
