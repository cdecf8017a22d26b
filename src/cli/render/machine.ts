/** A value as results for machines have it. */
export type MachineValue =
  | null
  | boolean
  | number
  | string
  | readonly MachineValue[]
  | { readonly [key: string]: MachineValue }

/**
 * Names in snake case, times as UTC ISO 8601, absent as `null`. The keys of a `Map` are data, not names, and stay as they are.
 */
export function toMachine(value: unknown): MachineValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(key), toMachine(item)]))
  if (Array.isArray(value)) return value.map(toMachine)
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [snakeCase(key), toMachine(item)]))
  }
  throw new TypeError(`not for machines: ${typeof value}`)
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
