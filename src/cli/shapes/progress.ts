import * as z from 'zod'
import type { ProgressEvent } from '../../core/events.ts'
import { bytes, count, countOrNull, durationMs, milliseconds, syncStatus, text } from './values.ts'

const repository = text('The repository.')

const event = <Type extends ProgressEvent['type'], Shape extends z.core.$ZodLooseShape>(
  type: Type,
  shape: Shape,
) => z.strictObject({ type: z.literal(type), ...shape })

/** Every event there is, as `--progress json` writes it. */
export const progressShapes = {
  'sync.started': event('sync.started', { repository }),
  'metadata.fetched': event('metadata.fetched', {
    repository,
    path: text('Within the repository.'),
    bytes: bytes('Its size.'),
  }),
  'plan.ready': event('plan.ready', {
    repository,
    added: count('Packages to come.'),
    removed: count('Packages to go.'),
    replaced: count('Packages whose bytes change.'),
    unchanged: count('Packages that stay.'),
    files: count('Files to fetch.'),
    bytes: bytes('What to fetch.'),
  }),
  'download.advanced': event('download.advanced', {
    repository,
    files: count('Finished so far.'),
    total_files: count('Of so many.'),
    bytes: bytes('Fetched so far.'),
    total_bytes: bytes('Of so much.'),
  }),
  'download.retried': event('download.retried', {
    repository,
    url: text('What is tried again.'),
    code: text('One of [errors](errors.md).'),
    message: text('What went wrong.'),
    retry_in_ms: milliseconds('How long it waits.'),
  }),
  'download.failed': event('download.failed', {
    repository,
    path: text('Within the repository.'),
    url: text('What was tried last.'),
    code: text('One of [errors](errors.md).'),
    message: text('What went wrong.'),
  }),
  'sync.finished': event('sync.finished', {
    repository,
    status: syncStatus,
    revision: countOrNull('The latest after it.'),
    packages: count('Of that revision.'),
    duration_ms: durationMs,
  }),
  'publish.started': event('publish.started', {
    path: text('Below `published_path`.'),
    packages: count('Packages in it.'),
  }),
  'publish.switched': event('publish.switched', {
    path: text('Below `published_path`.'),
    generation: text('What clients see now.'),
    files: count('Files in it.'),
  }),
  'verify.advanced': event('verify.advanced', {
    blobs: count('Checked so far.'),
    total_blobs: count('Of so many.'),
    bytes: bytes('Read so far.'),
    total_bytes: bytes('Of so much.'),
  }),
  'gc.finished': event('gc.finished', {
    removed: count('Blobs.'),
    freed_bytes: bytes('What they took.'),
    kept: count('Blobs that stay.'),
  }),
  notice: event('notice', { message: text('For people.') }),
  warning: event('warning', {
    code: text('One of [warnings](errors.md#warnings).'),
    message: text('What a user should know.'),
    repository: repository.optional(),
  }),
} as const satisfies Record<ProgressEvent['type'], z.ZodType>
