import type { EcosystemId, UpstreamPackage } from '../../core/model.ts'
import type { Ecosystem } from '../ecosystem.ts'
import type { RpmAttributes } from './attributes.ts'
import { isPlainPackage } from './formats/plain-package.ts'
import { publishRpmView } from './generated-publisher.ts'
import { packageDocuments } from './metadata.ts'
import { type RpmFilters, type RpmOptions, rpmFilters, rpmOptions } from './options.ts'
import { recordedAddress } from './package-address.ts'
import { publishRpm, renewRpm } from './publisher.ts'
import { readRpmUpstream } from './reader.ts'
import { rpmSignatures } from './signatures.ts'
import { rpmUploads } from './uploads.ts'
import { compareRpmVersions, parseEvr } from './version.ts'

/** Repositories of RPM packages, as dnf, yum and zypper read them. */
export const rpm: Ecosystem<RpmOptions, RpmFilters, RpmAttributes> = {
  id: 'rpm' as EcosystemId,
  title: 'RPM',
  options: rpmOptions,
  filterKey: 'rpm',
  filters: rpmFilters,
  statesBuildTime: true,
  hasMetalinks: true,
  versions: { compare: compareRpmVersions },
  signing: 'openpgp',
  packageSignatures: rpmSignatures,
  objectToRecord: objectToRpmRecord,
  requiredRecords: ['primary'],
  addresses: { part: 'primary', read: recordedAddress },
  uploads: rpmUploads,
  wants,
  readUpstream: readRpmUpstream,
  publish: publishRpm,
  publishView: publishRpmView,
  renew: renewRpm,
}

function wants(pkg: UpstreamPackage<RpmAttributes>, filters: RpmFilters): boolean {
  const { architecture, version, attributes } = pkg
  if (filters.exclude_source_rpms && (architecture === 'src' || architecture === 'nosrc')) return false
  return (
    fits(attributes.group, filters.groups) &&
    fits(attributes.license, filters.licenses) &&
    fits(attributes.vendor, filters.vendors) &&
    fits(parseEvr(version).epoch, filters.epochs)
  )
}

interface Names {
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
}

function fits(value: string | null, names: Names | undefined): boolean {
  if (!names) return true
  const text = value ?? ''
  return !names.exclude?.includes(text) && (names.include === undefined || names.include.includes(text))
}

function objectToRpmRecord(part: string, bytes: Uint8Array): string | null {
  const document = packageDocuments.find((name) => name === part)
  if (document === undefined) return 'no part of an RPM package'
  return isPlainPackage(bytes, document) ? null : 'not one plain element'
}
