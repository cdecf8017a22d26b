import * as z from 'zod'
import type { Json, JsonObject } from '../core/brand.ts'
import { plainValueOf } from './document.ts'
import type { EcosystemConfigurations } from './ecosystem-configuration.ts'
import type { Configuration } from './load.ts'
import { documentSchema } from './schema.ts'

const secret = '(secret)'

/** Keys whose value nobody may see. */
const secretKeys = new Set(['password', 'passphrase', 'token', 'client_key', 'key'])

/**
 * The configuration as one document: merged, variables replaced, today's spellings, every secret as `(secret)`.
 * @param resolved with defaults filled in
 */
export function showConfiguration(
  configuration: Configuration,
  { resolved }: { readonly resolved: boolean },
): Json {
  return maskSecrets(resolved ? configuration.resolved : plainValueOf(configuration.root))
}

/** JSON Schema (draft 2020-12) of the document, with the parts of every ecosystem. Editors complete and check by it. */
export function configurationJsonSchema(ecosystems: EcosystemConfigurations): JsonObject {
  const schema = z.toJSONSchema(documentSchema(ecosystems), {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
  })
  // Through JSON: zod hangs functions of its own on what it gives.
  return { title: 'Chantal configuration', ...(JSON.parse(JSON.stringify(schema)) as JsonObject) }
}

function maskSecrets(value: Json, key = ''): Json {
  if (typeof value === 'string') return isSecret(key, value) ? secret : maskUrl(value)
  if (typeof value === 'number' && secretKeys.has(key)) return secret
  if (Array.isArray(value)) return value.map((item: Json) => maskSecrets(item, key))
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([name, item]): [string, Json] => {
    const isHeader = key === 'headers' && (typeof item === 'string' || typeof item === 'number')
    return [name, isHeader ? secret : maskSecrets(item, name)]
  })
  return Object.fromEntries(entries)
}

/** A private key may be the name of its file, which is no secret, or its text. */
function isSecret(key: string, value: string): boolean {
  if (value.includes('PRIVATE KEY')) return true
  if (key === 'client_key' || key === 'key') return false
  return secretKeys.has(key)
}

/** Logins and the values of a query, where tokens stand, leave a URL. */
function maskUrl(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i, `$1${secret}@`)
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^?#]*)\?.*$/is, `$1?${secret}`)
    .replace(/^([^/\s@]+:[^/\s@]+)@(?=[\w.-]+(:\d+)?\/?$)/, `${secret}@`)
}
