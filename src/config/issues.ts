import * as z from 'zod'
import type { Json } from '../core/brand.ts'
import { nearest } from '../core/nearest.ts'
import { type DocumentNode, type DocumentPath, nodeAt, placeOf, plainValueOf, showPath } from './document.ts'
import type { Mistake } from './mistakes.ts'

export interface ParseTarget {
  /** The whole document, for places. */
  readonly root: DocumentNode
  /** What is parsed; where the document has nothing there, `{}` is parsed. */
  readonly path: DocumentPath
}

/**
 * Parses one part of the document. What is no mistake in YAML becomes the type that the schema wants: a number where text is
 * expected, digits from a variable where a number is, `yes` and `no` where a truth value is, an empty key where it may be absent.
 * @returns `null` where it does not fit; every mistake is in `mistakes` then
 */
export function parsePart<T>(
  schema: z.ZodType<T>,
  { root, path }: ParseTarget,
  mistakes: Mistake[],
): { readonly value: T } | null {
  const node = nodeAt(root, path)
  let input: Json = node === null || (node.kind === 'scalar' && node.value === null) ? {} : plainValueOf(node)
  const adapted = new Set<string>()
  for (;;) {
    const result = schema.safeParse(input, { jitless: true })
    if (result.success) return { value: result.data }
    const before = input
    for (const issue of result.error.issues) {
      const where = JSON.stringify(issue.path)
      if (adapted.has(where)) continue
      const replacement = adapt(issue, valueAt(input, issue.path))
      if (replacement === undefined) continue
      adapted.add(where)
      input = replaceAt(input, issue.path, replacement)
    }
    if (input !== before) continue
    const known = () => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
    for (const issue of result.error.issues) mistakes.push(...explain(issue, input, { root, path }, known))
    return null
  }
}

/** Every key that a JSON Schema knows at `path`, whichever alternative it is in. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  return [
    ...new Set(
      schemasAt(schema, path).flatMap((part) =>
        isObject(part['properties']) ? Object.keys(part['properties']) : [],
      ),
    ),
  ]
}

const absent = Symbol('absent')

function adapt(issue: z.core.$ZodIssue, value: Json | undefined): Json | typeof absent | undefined {
  if (value === null && issue.path.length > 0) return absent
  if (issue.code === 'invalid_union') return typeof value === 'number' ? String(value) : undefined
  if (issue.code !== 'invalid_type') return undefined
  const expected: string = issue.expected
  if (expected === 'string' && typeof value === 'number') return String(value)
  if (typeof value !== 'string') return undefined
  if ((expected === 'number' || expected === 'int') && /^(0|-?[1-9]\d{0,14})$/.test(value))
    return Number(value)
  if (expected === 'boolean' && /^(true|yes|on)$/i.test(value)) return true
  if (expected === 'boolean' && /^(false|no|off)$/i.test(value)) return false
  return undefined
}

function explain(
  issue: z.core.$ZodIssue,
  input: Json,
  target: ParseTarget,
  known: () => unknown,
): readonly Mistake[] {
  const { root } = target
  const path: DocumentPath = [
    ...target.path,
    ...issue.path.map((step) => (typeof step === 'number' ? step : String(step))),
  ]
  const mistake = (problem: string, hint?: string, at: DocumentPath = path): Mistake => ({
    place: placeOf(root, at),
    path: showPath(root, at),
    problem,
    ...(hint && { hint }),
  })
  if (issue.code === 'unrecognized_keys') {
    const keys = keysAt(known(), issue.path)
    return issue.keys.map((key) =>
      mistake(`unknown key ${JSON.stringify(key)}`, meant(key, keys), [...path, key]),
    )
  }
  const value = valueAt(input, issue.path)
  const key = path.at(-1)
  if (value === undefined && typeof key === 'string' && issue.code !== 'custom') {
    return [mistake(`missing key ${JSON.stringify(key)}`)]
  }
  if (issue.code === 'invalid_value' || (issue.code === 'invalid_union' && 'discriminator' in issue)) {
    const choices = issue.code === 'invalid_value' ? issue.values.map(String) : valuesAt(known(), issue.path)
    const hint = typeof value === 'string' ? (nearest(value, choices) ?? null) : null
    return [mistake(`expected ${either(choices)}`, hint === null ? undefined : `Did you mean "${hint}"?`)]
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return [mistake(`expected ${typeName(issue.expected)}, found ${typeName(kindOf(value))}`)]
  }
  if (issue.code === 'too_small')
    return [mistake(`expected at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`)]
  if (issue.code === 'too_big')
    return [mistake(`expected at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`)]
  return [mistake(issue.message)]
}

function meant(key: string, known: readonly string[]): string | undefined {
  const near = nearest(key, known)
  if (near !== null) return `Did you mean "${near}"?`
  return known.length > 0 ? `Known here: ${[...known].sort().join(', ')}.` : undefined
}

function unitOf(origin: string, count: number | bigint): string {
  if (origin === 'string') return Number(count) === 1 ? ' character' : ' characters'
  if (origin === 'array') return Number(count) === 1 ? ' entry' : ' entries'
  return ''
}

function either(choices: readonly string[]): string {
  const quoted = choices.map((choice) => JSON.stringify(choice))
  return quoted.length > 1
    ? `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
    : (quoted[0] ?? 'nothing')
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'keys and values',
  record: 'keys and values',
  array: 'a list',
  null: 'nothing',
}

function typeName(type: string): string {
  return typeNames[type] ?? type
}

function valueAt(value: Json, path: readonly PropertyKey[]): Json | undefined {
  let current: unknown = value
  for (const step of path) {
    if (!isObject(current) && !Array.isArray(current)) return undefined
    current = Object.hasOwn(current, step) ? Reflect.get(current, step) : undefined
  }
  return current as Json | undefined
}

function replaceAt(value: Json, path: readonly PropertyKey[], replacement: Json | typeof absent): Json {
  const [step, ...rest] = path
  if (step === undefined) return replacement === absent ? {} : replacement
  if (Array.isArray(value)) {
    if (replacement === absent && rest.length === 0) return value.filter((_, index) => index !== step)
    return value.map((item: Json, index) => (index === step ? replaceAt(item, rest, replacement) : item))
  }
  if (!isObject(value)) return value
  const entries = Object.entries(value as { readonly [key: string]: Json }).flatMap(
    ([key, item]): [string, Json][] => {
      if (key !== step) return [[key, item]]
      return replacement === absent && rest.length === 0 ? [] : [[key, replaceAt(item, rest, replacement)]]
    },
  )
  return Object.fromEntries(entries)
}

function schemasAt(schema: unknown, path: readonly PropertyKey[]): readonly Record<string, unknown>[] {
  if (!isObject(schema)) return []
  const alternatives = ['anyOf', 'oneOf', 'allOf'].flatMap((key) =>
    Array.isArray(schema[key]) ? schema[key] : [],
  )
  const below = alternatives.flatMap((alternative) => schemasAt(alternative, path))
  const [step, ...rest] = path
  if (step === undefined) return [schema, ...below]
  const child =
    typeof step === 'number'
      ? schema['items']
      : isObject(schema['properties'])
        ? schema['properties'][String(step)]
        : undefined
  return [...below, ...schemasAt(child, rest)]
}

function valuesAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  return schemasAt(schema, path).flatMap((part) => {
    if (Array.isArray(part['enum'])) return part['enum'].map(String)
    return part['const'] === undefined ? [] : [String(part['const'])]
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
