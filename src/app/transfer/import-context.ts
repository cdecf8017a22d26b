import type { Pool } from '../../pool/pool.ts'
import type { AppContext } from '../context.ts'

/** What an import may touch. The pool is opened once the export has said whose it is. */
export interface ImportContext extends Pick<AppContext, 'catalog' | 'ecosystems' | 'now' | 'reached'> {
  /**
   * Opens the pool. A catalog in which nothing is takes over `id` first, and with it the pool that carries it.
   * @param id of the catalog that was exported; `null` takes over none
   * @throws ChantalError `POOL_UNMARKED` where the pool is neither this catalog's nor that one's
   */
  openPool(id: string | null): Promise<Pool>
}
