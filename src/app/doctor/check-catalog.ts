import type { DatabaseStatus } from '../../catalog/catalog-database.ts'
import { isChantalError } from '../../core/errors.ts'
import { type Examined, type Finding, notice, problem } from './finding.ts'
import type { DoctorParts } from './parts.ts'

/** Whether the catalog answers, has a schema that this program knows, and no lease of a dead process. */
export async function checkCatalog({
  database,
}: Pick<DoctorParts, 'database'>): Promise<Examined & { readonly status: DatabaseStatus | null }> {
  try {
    const status = await database.status()
    return { summary: summaryOf(status), findings: findingsOf(status), status }
  } catch (error) {
    if (!isChantalError(error)) throw error
    const { code, message, hint = null } = error
    return { summary: 'does not open', findings: [problem('catalog', code, message, hint)], status: null }
  }
}

function summaryOf({ engine, location, id, schema }: DatabaseStatus): string {
  return `${engine} ${location}, ${id === null ? 'not made yet' : `schema ${schema}`}`
}

function findingsOf({ id, location, schema, pending, leases }: DatabaseStatus): readonly Finding[] {
  if (id === null) return [notice(location, 'there is no catalog yet: the first command makes it')]
  const findings: Finding[] = []
  if (pending.length > 0) {
    findings.push(
      notice(
        location,
        `the schema is ${schema}; the next command applies ${pending.map(({ name }) => name).join(', ')}`,
        'Back it up first: `chantal db backup FILE`.',
      ),
    )
  }
  for (const { resource, purpose, host, pid, health } of leases) {
    const holder = `${purpose} (process ${pid} on ${host})`
    if (health === 'dead')
      findings.push(notice(resource, `the lease of ${holder} was left behind: the next who needs it gets it`))
    else if (health === 'conflicting')
      findings.push(
        problem(
          resource,
          'LEASE_HELD',
          `${holder} has it, and another too`,
          'End one of them, then run `chantal db verify`.',
        ),
      )
  }
  return findings
}
