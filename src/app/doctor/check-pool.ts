import { isChantalError } from '../../core/errors.ts'
import { type Examined, problem } from './finding.ts'
import type { DoctorParts } from './parts.ts'

/** Whether the pool is this catalog's. @param catalog its id; `null` where there is none, or where it does not open */
export async function checkPool(
  { poolMarker, settings }: Pick<DoctorParts, 'poolMarker' | 'settings'>,
  catalog: string | null,
): Promise<Examined> {
  const { poolPath } = settings.storage
  try {
    const owner = await poolMarker.owner()
    if (catalog === null)
      return {
        summary: owner === null ? `${poolPath}, not made yet` : `${poolPath}, of catalog ${owner}`,
        findings: [],
      }
    if (owner === catalog) return { summary: `${poolPath}, of this catalog`, findings: [] }
    if (owner === null)
      return {
        summary: `${poolPath}, without a marker`,
        findings: [
          problem(
            poolPath,
            'POOL_UNMARKED',
            'the pool does not carry the mark of this catalog',
            'Mount the disk that holds it, or correct `storage.pool_path`. If the marker alone is lost: `chantal pool adopt`.',
          ),
        ],
      }
    return {
      summary: `${poolPath}, of another catalog`,
      findings: [
        problem(
          poolPath,
          'POOL_UNMARKED',
          `the pool belongs to catalog ${owner}, and not to ${catalog}`,
          'Correct `storage.pool_path` or `database.url`. If the other one is no more: `chantal pool adopt`.',
        ),
      ],
    }
  } catch (error) {
    if (!isChantalError(error)) throw error
    return {
      summary: `${poolPath}, not readable`,
      findings: [problem(poolPath, error.code, error.message, error.hint ?? null)],
    }
  }
}
