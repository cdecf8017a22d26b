import type { MissingFile } from '../../catalog/catalog-records.ts'
import type { JsonObject } from '../../core/brand.ts'
import type { ChantalError, ErrorCode } from '../../core/errors.ts'
import type { SyncPlan } from '../../core/plan.ts'

export interface ErrorReport {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | null
  readonly details: JsonObject
}

/** What one repository's sync came to: the shape of `repo sync --json`, and what history keeps. */
export interface SyncResult {
  readonly id: string
  readonly status: 'synced' | 'unchanged' | 'planned' | 'partial' | 'failed'
  /** The latest revision after it. */
  readonly revision: number | null
  readonly packages: number
  readonly added: number
  readonly removed: number
  readonly replaced: number
  readonly fetchedFiles: number
  readonly fetchedBytes: number
  readonly missing: readonly MissingFile[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  readonly error: ErrorReport | null
  /** The full error, for its exit status. */
  readonly cause: ChantalError | null
  /** Fingerprint of the key whose signature on the metadata was good. */
  readonly signedBy: string | null
  readonly durationMs: number
  /** Of a dry run. */
  readonly plan: PlanSummary | null
}

/** What `--dry-run` shows. */
export interface PlanSummary {
  readonly plan: SyncPlan
  readonly files: number
  readonly bytes: number
  /** Free on the pool's disk after it. */
  readonly diskLeftBytes: number
}

export function reportError(error: ChantalError): ErrorReport {
  return { code: error.code, message: error.message, hint: error.hint ?? null, details: { ...error.details } }
}
