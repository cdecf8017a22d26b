import type { CatalogFlaw } from '../catalog-reader.ts'
import type { SqlEngine } from '../engine.ts'
import { schemaStatements } from '../migrations/migrations.ts'

/** Tables, columns, indexes and constraints against what the migrations make of nothing; then what the database says of its file. */
export async function findSchemaFlaws(engine: SqlEngine): Promise<readonly CatalogFlaw[]> {
  const { found, expected } = await engine.compareSchema(schemaStatements(engine.types))
  const flaws: CatalogFlaw[] = []
  const add = (check: CatalogFlaw['check'], subject: string, message: string) =>
    flaws.push({ check, repository: null, subject, message })
  for (const [part, says] of expected) {
    const actual = found.get(part)
    if (actual === undefined) add('schema', part, 'is missing')
    else if (actual !== says) add('schema', part, `should be \`${says}\` and is \`${actual}\``)
  }
  for (const message of await engine.integrityFlaws()) add('file', 'database', message)
  return flaws
}
