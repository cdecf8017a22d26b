import type { ErrorCode } from './errors.ts'

/** What happened, for people and machines alike. All sizes are bytes, all durations milliseconds. */
export type ProgressEvent =
  | { readonly type: 'sync.started'; readonly repository: string }
  | {
      readonly type: 'metadata.fetched'
      readonly repository: string
      readonly path: string
      readonly bytes: number
    }
  | {
      readonly type: 'plan.ready'
      readonly repository: string
      readonly added: number
      readonly removed: number
      readonly replaced: number
      readonly unchanged: number
      /** What has to be fetched: files that the pool does not hold. */
      readonly files: number
      readonly bytes: number
    }
  | {
      readonly type: 'download.advanced'
      readonly repository: string
      /** Finished so far, of the plan's. */
      readonly files: number
      readonly totalFiles: number
      readonly bytes: number
      readonly totalBytes: number
    }
  | {
      readonly type: 'download.retried'
      readonly repository: string
      readonly url: string
      readonly code: ErrorCode
      readonly message: string
      readonly retryInMs: number
    }
  | {
      readonly type: 'download.failed'
      readonly repository: string
      readonly path: string
      readonly url: string
      readonly code: ErrorCode
      readonly message: string
    }
  | {
      readonly type: 'sync.finished'
      readonly repository: string
      readonly status: 'synced' | 'unchanged' | 'planned' | 'partial' | 'failed'
      readonly revision: number | null
      readonly packages: number
      readonly durationMs: number
    }
  | { readonly type: 'publish.started'; readonly path: string; readonly packages: number }
  | {
      readonly type: 'publish.switched'
      readonly path: string
      readonly generation: string
      readonly files: number
    }
  | {
      readonly type: 'verify.advanced'
      readonly blobs: number
      readonly totalBlobs: number
      readonly bytes: number
      readonly totalBytes: number
    }
  | {
      readonly type: 'gc.finished'
      readonly removed: number
      readonly freedBytes: number
      readonly kept: number
    }
  | { readonly type: 'notice'; readonly message: string }
  | Warning

/** Something a user should know although the work went on. `code` is stable, upper case: `DUPLICATE_PACKAGE`. */
export interface Warning {
  readonly type: 'warning'
  readonly code: WarningCode
  readonly message: string
  readonly repository?: string
}

/** Every warning there is; docs/errors.md explains each, and a test keeps the two lists equal. */
export const warningCodes = [
  'VERIFICATION_OFF',
  'DUPLICATE_PACKAGE',
  'NAME_DIFFERS',
  'METADATA_MISSING',
  'METADATA_DROPPED',
  'METADATA_MALFORMED',
  'PACKAGE_MISSING',
  'NOTHING_SELECTED',
  'MIRROR_FAILED',
  'MIRROR_STALE',
  'CONFIG_TRANSLATED',
  'CONFIG_FILE_MISSING',
  'UNSIGNED_PUBLICATION',
  'LEASE_TAKEN_OVER',
  'WEAK_CHECKSUM',
  'PACKAGE_UNSIGNED',
  'PACKAGE_SIGNATURE_INVALID',
  'LAST_SYNC_FAILED',
  'OLDER_VERBATIM_TREE',
  'PUBLISHED_AHEAD',
  'PUBLICATION_UNREADABLE',
] as const

export type WarningCode = (typeof warningCodes)[number]

/**
 * Receives progress. The terminal, NDJSON output, the job log and the web UI's event stream each are one.
 * `report` returns at once and never throws: work does not wait for, or fail by, its display.
 */
export interface Reporter {
  report(event: ProgressEvent): void
}
