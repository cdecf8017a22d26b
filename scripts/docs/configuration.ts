import { z } from 'zod'

/** Of JSON Schema, what a configuration uses. */
interface Schema {
  readonly type?: string | undefined
  readonly description?: string | undefined
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[] | undefined
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly properties?: Readonly<Record<string, Schema>> | undefined
  readonly required?: readonly string[] | undefined
  readonly items?: Schema | undefined
  readonly anyOf?: readonly Schema[] | undefined
  readonly oneOf?: readonly Schema[] | undefined
  readonly additionalProperties?: Schema | boolean | undefined
}

const schemaOfSchema: z.ZodType<Schema> = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  required: z.array(z.string()).optional(),
  get properties() {
    return z.record(z.string(), schemaOfSchema).optional()
  },
  get items() {
    return schemaOfSchema.optional()
  },
  get anyOf() {
    return z.array(schemaOfSchema).optional()
  },
  get oneOf() {
    return z.array(schemaOfSchema).optional()
  },
  get additionalProperties() {
    return z.union([z.boolean(), schemaOfSchema]).optional()
  },
})

/** A key as the page lists it. */
export interface DocumentedKey {
  /** `download.timeout`, `repositories[].feed` */
  readonly path: string
  readonly values: string
  readonly isRequired: boolean
  readonly default: string | null
  readonly description: string | null
}

/** Every key of the configuration, a section before what stands in it. @param schema of `configurationJsonSchema` */
export function documentedKeys(schema: unknown): readonly DocumentedKey[] {
  return keysBelow(schemaOfSchema.parse(schema), '')
}

export function renderConfiguration(schema: unknown): string {
  const keys = documentedKeys(schema)
  const sections = Object.entries(schemaOfSchema.parse(schema).properties ?? {})
  return `${[
    '# Configuration',
    '<!-- Made by `npm run docs` from the schema. Change the schema, not this page. -->',
    'One YAML file, and those that it includes. `chantal config check` names every mistake with its line; `chantal config schema` prints the ' +
      'JSON Schema for editors; `chantal config show --resolved` shows what is in effect. Where the file is looked for, variables and ' +
      'secrets: [guide](guide/configuration.md). Whole examples: [examples](../examples).',
    'A key marked with * must be there when its section is.',
    ...sections.map(([name, section]) => renderSection(name, section, keys)),
  ].join('\n\n')}\n`
}

function renderSection(name: string, section: Schema, keys: readonly DocumentedKey[]): string {
  const own = keys.filter(({ path }) => path.startsWith(`${name}.`) || path.startsWith(`${name}[]`))
  const first = keys.find(({ path }) => path === name)
  const rows = own.map(
    ({ path, values, isRequired, default: byDefault, description }) =>
      `| \`${path.replace(/^[^.]+\./, '')}\`${isRequired ? ' *' : ''} | ${cell(values)} | ${byDefault === null ? '' : `\`${cell(byDefault)}\``} | ${cell(description ?? '')} |`,
  )
  return [
    `## ${name}`,
    [section.description ?? '', rows.length === 0 ? `Values: ${first?.values ?? ''}.` : ''].join(' ').trim(),
    ...(rows.length === 0
      ? []
      : [['| Key | Values | Default | |', '| --- | --- | --- | --- |', ...rows].join('\n')]),
  ].join('\n\n')
}

function keysBelow(schema: Schema, prefix: string): readonly DocumentedKey[] {
  const variants = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  return variants.flatMap((variant) => [
    ...Object.entries(variant.properties ?? {}).flatMap(([name, property]) => [
      keyOf(prefix === '' ? name : `${prefix}.${name}`, property, variant.required?.includes(name) ?? false),
      ...keysBelow(property, prefix === '' ? name : `${prefix}.${name}`),
    ]),
    ...(variant.items ? keysBelow(variant.items, `${prefix}[]`) : []),
    ...(typeof variant.additionalProperties === 'object'
      ? keysBelow(variant.additionalProperties, `${prefix}.NAME`)
      : []),
  ])
}

function keyOf(path: string, schema: Schema, isRequired: boolean): DocumentedKey {
  return {
    path,
    values: valuesOf(schema),
    // Zod calls what has a default required: it is there after reading.
    isRequired: isRequired && schema.default === undefined,
    default: schema.default === undefined ? null : shown(schema.default),
    description: schema.description ?? null,
  }
}

function valuesOf(schema: Schema): string {
  if (schema.const !== undefined) return shown(schema.const)
  if (schema.enum) return schema.enum.map(shown).join(', ')
  const variants = schema.anyOf ?? schema.oneOf
  if (variants) return [...new Set(variants.map(valuesOf))].join(' or ')
  if (schema.type === 'array') return `list of ${schema.items ? valuesOf(schema.items) : 'values'}`
  if (schema.type === 'integer' && (schema.maximum ?? Number.MAX_SAFE_INTEGER) < Number.MAX_SAFE_INTEGER) {
    return `${schema.minimum ?? 0} to ${schema.maximum}`
  }
  const names: Readonly<Record<string, string>> = {
    object: 'section',
    string: 'text',
    integer: 'number',
    boolean: 'true, false',
  }
  return names[schema.type ?? ''] ?? schema.type ?? 'any'
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
