import { z } from 'zod'
import { progressShapes } from '../../src/cli/shapes/progress.ts'
import { errorShape, resultShapes } from '../../src/cli/shapes/results.ts'

/** Of JSON Schema, what the shapes use. */
interface Shape {
  readonly type?: string | readonly string[] | undefined
  readonly format?: string | undefined
  readonly description?: string | undefined
  readonly const?: unknown
  readonly enum?: readonly unknown[] | undefined
  readonly properties?: Readonly<Record<string, Shape>> | undefined
  readonly required?: readonly string[] | undefined
  readonly items?: Shape | undefined
  readonly anyOf?: readonly Shape[] | undefined
  readonly oneOf?: readonly Shape[] | undefined
}

const shapeOfShape: z.ZodType<Shape> = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  description: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  get properties() {
    return z.record(z.string(), shapeOfShape).optional()
  },
  get items() {
    return shapeOfShape.optional()
  },
  get anyOf() {
    return z.array(shapeOfShape).optional()
  },
  get oneOf() {
    return z.array(shapeOfShape).optional()
  },
})

export function renderResults(): string {
  return `${[
    '# Results for programs',
    '<!-- Made by `npm run docs` from src/cli/shapes. Change the shapes, not this page. -->',
    '`--format json` prints one document on standard output: a list prints an array, an action one object. Names are snake case, sizes ' +
      '`..._bytes` as integers, durations `..._ms`, times UTC in ISO 8601, and what there is not is `null`. Shapes only ever grow: a program ' +
      'ignores names that it does not know. `config show` prints the configuration, and `config schema` its JSON Schema.',
    '`--format csv` prints lists as they are shown, with sizes as integers and times in ISO 8601, and of an action one row with the names below.',
    '## Errors',
    'In place of its result a command that fails prints this, and exits with the status of the code. A sync or a verification that ran to its ' +
      'end prints its result all the same, with the errors in it.',
    render(errorShape),
    ...Object.entries(resultShapes).flatMap(([name, shape]) => [`## chantal ${name}`, render(shape)]),
    '## Progress',
    '`--progress json` prints one event a line on standard error.',
    ...Object.entries(progressShapes).flatMap(([name, shape]) => [`### ${name}`, render(shape, ['type'])]),
  ].join('\n\n')}\n`
}

function render(shape: z.ZodType, leftOut: readonly string[] = []): string {
  const kind = z.toJSONSchema(shape).type === 'array' ? 'An array of objects.' : 'An object.'
  return [kind, renderFields(shape, leftOut)].join('\n\n')
}

/** A table of all fields, those of objects within it too. */
export function renderFields(shape: z.ZodType, leftOut: readonly string[] = []): string {
  const schema = shapeOfShape.parse(z.toJSONSchema(shape, { unrepresentable: 'any' }))
  const rows = fieldsBelow(schema, '').filter(([name]) => !leftOut.includes(name))
  return [
    '| Field | Values | |',
    '| --- | --- | --- |',
    ...rows.map((row) => `| \`${row[0]}\` | ${row[1]} | ${row[2]} |`),
  ].join('\n')
}

type Row = readonly [name: string, values: string, description: string]

function fieldsBelow(shape: Shape, prefix: string): readonly Row[] {
  const variants = shape.anyOf ?? shape.oneOf ?? [shape]
  return variants.flatMap((variant) => [
    ...(variant.items ? fieldsBelow(variant.items, prefix === '' ? '' : `${prefix}[]`) : []),
    ...Object.entries(variant.properties ?? {}).flatMap(([name, field]): readonly Row[] => {
      const path = prefix === '' ? name : `${prefix}.${name}`
      return [[path, valuesOf(field), field.description ?? ''], ...fieldsBelow(field, path)]
    }),
  ])
}

function valuesOf(shape: Shape): string {
  if (shape.anyOf) return shape.anyOf.map(valuesOf).join(' or ')
  if (shape.oneOf) return 'object'
  if (shape.enum) return shape.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (shape.const !== undefined) return `\`${String(shape.const)}\``
  if (shape.type === 'array') return `array of ${shape.items ? valuesOf(shape.items) : 'values'}`
  if (shape.format === 'date-time') return 'time'
  return [shape.type ?? 'any'].flat().join(' or ')
}
