import * as fs from 'node:fs/promises'
import type { Sha256 } from '../core/digest.ts'
import type { ReceivedBlob } from './pool.ts'

/** A received blob of a `FilesystemPool`: a finished file in its `tmp`. */
export class TemporaryBlob implements ReceivedBlob {
  readonly path: string
  readonly digest: Sha256
  readonly size: number

  constructor(path: string, digest: Sha256, size: number) {
    this.path = path
    this.digest = digest
    this.size = size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await fs.rm(this.path, { force: true })
  }
}
