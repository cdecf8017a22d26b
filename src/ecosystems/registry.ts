import type { EcosystemId } from '../core/model.ts'
import { apt } from './apt/apt.ts'
import type { Ecosystem } from './ecosystem.ts'
import { rpm } from './rpm/rpm.ts'

/** Every ecosystem there is. Adding one is a folder and a line here. */
export const ecosystems: ReadonlyMap<EcosystemId, Ecosystem> = new Map<EcosystemId, Ecosystem>(
  [rpm, apt].map((ecosystem) => [ecosystem.id, ecosystem]),
)
