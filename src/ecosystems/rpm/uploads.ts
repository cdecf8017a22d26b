import { ChantalError } from '../../core/errors.ts'
import type { PackageKey } from '../../core/model.ts'
import { joinRelativePath, parseRelativePath } from '../../core/path.ts'
import type { PackageUploads, UploadedFile, UploadedPackage, UploadTerms } from '../ecosystem.ts'
import type { RpmAttributes } from './attributes.ts'
import { formatEvr, formatNevra, type Nevra, nevraFileName } from './formats/nevra.ts'
import { type RpmFile, writeFilelists, writeOther, writePrimary } from './formats/package-writer.ts'
import type { RpmHeaders } from './formats/rpm-header.ts'
import { type RpmPackage, readRpmPackage } from './formats/rpm-package.ts'
import type { RpmOptions } from './options.ts'
import { objectToPackage } from './package-digests.ts'
import { readHeaders } from './package-headers.ts'

/** RPM packages; what repository metadata says of them is made of their headers. */
export const rpmUploads: PackageUploads<RpmOptions, RpmAttributes> = {
  extensions: ['.rpm'],
  checksums: [],
  describe,
}

const folder = parseRelativePath('Packages')

async function describe(
  file: UploadedFile,
  terms: UploadTerms<RpmOptions>,
): Promise<UploadedPackage<RpmAttributes>> {
  refusePlace(terms)
  const headers = await readHeaders(file)
  const pkg = readRpmPackage(headers)
  const { nevra } = pkg
  refuseOddNames(nevra)
  await refuseDamage(file, headers)
  const path = joinRelativePath(folder, `${nevra.name.charAt(0).toLowerCase()}/${nevraFileName(nevra)}`)
  const sha256 = file.checksums.get('sha256')
  if (sha256 === undefined) throw new Error('uploaded without sha256')
  const about: RpmFile = {
    href: path,
    sha256,
    size: file.size,
    time: Math.floor(terms.now.getTime() / 1000),
  }
  return {
    key: formatNevra(nevra) as PackageKey,
    name: nevra.name,
    version: formatEvr(nevra),
    architecture: nevra.architecture,
    builtAt: new Date(pkg.buildTime * 1000),
    attributes: attributesOf(pkg, sha256),
    path,
    records: [
      { part: 'primary', bytes: Buffer.from(writePrimary(pkg, about)) },
      { part: 'filelists', bytes: Buffer.from(writeFilelists(pkg, about)) },
      { part: 'other', bytes: Buffer.from(writeOther(pkg, about)) },
    ],
    ...(pkg.moduleLabel !== '' && { shortcoming: withoutModule }),
  }
}

/** Only upstream's modules document says what a module's streams are, and it comes with no package. */
const withoutModule =
  'of modules, which a hosted repository does not describe, so that dnf does not install them from it alone'

function attributesOf(pkg: RpmPackage, sha256: string): RpmAttributes {
  return {
    summary: pkg.summary || null,
    license: pkg.license || null,
    vendor: pkg.vendor || null,
    group: pkg.group || null,
    source_rpm: pkg.sourceRpm || null,
    url: pkg.url || null,
    installed_bytes: pkg.installedSize,
    checksum: `sha256:${sha256}`,
  }
}

function refusePlace({ suite, component }: UploadTerms<RpmOptions>): void {
  if (suite === null && component === null) return
  throw new ChantalError('USAGE_INVALID', 'RPM repositories have neither suites nor components', {
    hint: 'Leave out --suite and --component.',
  })
}

/** What we list, clients trust: our metadata would vouch for a file that rpm refuses to install. */
async function refuseDamage(file: UploadedFile, headers: RpmHeaders): Promise<void> {
  const objection = await objectToPackage(file, headers)
  if (objection === null) return
  throw new ChantalError('UPSTREAM_INVALID', `not a sound RPM package: ${objection}`, {
    hint: 'It was damaged after it was built. Take it again from where it was built.',
  })
}

/** rpm itself refuses these when it builds; in a path, or a key, they would mean something else. */
function refuseOddNames(nevra: Nevra): void {
  const { name, version, release, architecture } = nevra
  const odd = [
    /^[\w.+-]+$/.test(name) && !name.startsWith('.') ? [] : [name],
    [version, release].filter((text) => !/^[\w.+~^]+$/.test(text)),
    /^\w+$/.test(architecture) ? [] : [architecture],
  ].flat()
  if (odd.length === 0) return
  const shown = odd.map((text) => JSON.stringify(text.slice(0, 200))).join(', ')
  throw new ChantalError('UPSTREAM_INVALID', `not a sound RPM package: it is named ${shown}`, {
    hint: 'Names hold letters, digits and . _ + -; versions and releases . _ + ~ ^ too, but no dash.',
  })
}
