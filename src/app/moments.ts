/** Moments at which a process may die: a test that ends it there shows what a crash leaves. In the order in which they come. */
export const moments = {
  sync: [
    'metadata read',
    'blobs received',
    'blobs named',
    'blobs recorded',
    'files fetched',
    'revision opened',
    'packages added',
    'records added',
    'revision sealed',
  ],
  publish: ['generation announced', 'generation switched', 'generation recorded'],
  snapshot: ['snapshot created'],
  import: ['import opened', 'rows imported', 'import sealed'],
  prune: ['snapshots chosen', 'snapshot removed', 'snapshots removed'],
  cleanup: ['path unpublished', 'shelves cleared', 'snapshots deleted', 'rows removed'],
  vacuum: ['catalog held', 'catalog vacuumed'],
  backup: ['catalog copied'],
  collect: ['revisions pruned', 'blobs forgotten', 'blobs removed'],
} as const

export type Moment = (typeof moments)[keyof typeof moments][number]
