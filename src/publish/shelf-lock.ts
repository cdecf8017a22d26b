/** The lock of one repository's shelves, given back when it is disposed. */
export interface ShelfLock extends AsyncDisposable {
  /**
   * Called before anything that others go by is written or removed: whoever was stopped for a while may have been taken over, and what he
   * knows of the shelves is not what is there.
   * @throws ChantalError `LEASE_LOST`
   */
  assertHeld(): Promise<void>
}
