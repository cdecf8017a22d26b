import type { EcosystemId, UpstreamPackage } from '../../core/model.ts'
import type { Ecosystem } from '../ecosystem.ts'
import type { AptAttributes } from './attributes.ts'
import { isOneStanza } from './formats/stanza-reader.ts'
import { publishAptView } from './generated-publisher.ts'
import {
  type AptOptions,
  aptOptions,
  type DebFilters,
  debFilters,
  optionMistakes,
  optionModes,
  validityOf,
} from './options.ts'
import { publishApt, renewApt } from './publisher.ts'
import { readAptUpstream } from './reader.ts'
import { aptUploads } from './uploads.ts'
import { compareDebVersions } from './version.ts'

/** Repositories of Debian packages, as apt reads them. */
export const apt: Ecosystem<AptOptions, DebFilters, AptAttributes> = {
  id: 'apt' as EcosystemId,
  title: 'APT',
  options: aptOptions,
  filterKey: 'deb',
  filters: debFilters,
  statesBuildTime: false,
  hasMetalinks: false,
  optionModes,
  optionMistakes,
  versions: { compare: compareDebVersions },
  signing: 'openpgp',
  refusesOlder: true,
  validityMs: validityOf,
  // Acquire::Max-FutureTime in apt.conf(5).
  futureToleranceMs: 10_000,
  // The signed index vouches for them.
  packageSignatures: null,
  requiredRecords: ['stanza'],
  objectToRecord: objectToAptRecord,
  uploads: aptUploads,
  universalArchitectures: ['all', 'source'],
  wants,
  readUpstream: readAptUpstream,
  publish: publishApt,
  publishView: publishAptView,
  renew: renewApt,
}

function objectToAptRecord(part: string, bytes: Uint8Array): string | null {
  if (part !== 'stanza') return 'no part of an APT package'
  return isOneStanza(bytes) ? null : 'not one stanza'
}

/** The query asks for fields that are in the index alone: the reader has applied it. */
function wants({ attributes }: UpstreamPackage<AptAttributes>, filters: DebFilters): boolean {
  const { kind, section, priority } = attributes
  if (filters.exclude_udebs && kind === 'udeb') return false
  const names = section === null ? [''] : [section, section.slice(section.lastIndexOf('/') + 1)]
  return fits(names, filters.sections) && fits([priority ?? ''], filters.priorities)
}

interface Names {
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
}

function fits(values: readonly string[], names: Names | undefined): boolean {
  if (!names) return true
  if (values.some((value) => names.exclude?.includes(value))) return false
  return names.include === undefined || values.some((value) => names.include?.includes(value))
}
