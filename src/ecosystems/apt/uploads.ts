import { ChantalError } from '../../core/errors.ts'
import type { PackageKey } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { PackageUploads, UploadedFile, UploadedPackage, UploadTerms } from '../ecosystem.ts'
import type { AptAttributes } from './attributes.ts'
import { readDebControl } from './formats/deb-file.ts'
import { hostedStanza, parseControl, sourceOf } from './formats/hosted-stanza.ts'
import { poolPath } from './formats/pool-path.ts'
import type { Stanza } from './formats/stanza.ts'
import type { AptOptions } from './options.ts'

/** Binary packages of Debian, which become members of one suite and one component. */
export const aptUploads: PackageUploads<AptOptions, AptAttributes> = {
  extensions: ['.deb', '.udeb', '.ddeb'],
  checksums: ['md5', 'sha1', 'sha512'],
  describe,
}

async function describe(
  file: UploadedFile,
  terms: UploadTerms<AptOptions>,
): Promise<UploadedPackage<AptAttributes>> {
  const suite = chooseSuite(terms)
  const component = chooseComponent(terms)
  const control = parseControl(await readDebControl(file.read(), file.size))
  const [name, version, architecture] = [
    required(control, 'Package'),
    required(control, 'Version'),
    required(control, 'Architecture'),
  ]
  const isUdeb = file.name.endsWith('.udeb') || control.get('Package-Type') === 'udeb'
  const source = sourceOf(control) || name
  const path = poolPath(component, { source, name, version, architecture, isUdeb })
  refuseForeign(terms, name, architecture)
  const checksum = (algorithm: 'md5' | 'sha1' | 'sha256' | 'sha512') => {
    const hex = file.checksums.get(algorithm)
    if (hex === undefined) throw new Error(`uploaded without ${algorithm}`)
    return hex
  }
  const stanza = hostedStanza(control, {
    path,
    size: file.size,
    md5: checksum('md5'),
    sha1: checksum('sha1'),
    sha256: checksum('sha256'),
    sha512: checksum('sha512'),
  })
  return {
    key: `${suite}/${component}/${name}_${version}_${architecture}` as PackageKey,
    name,
    version,
    architecture,
    builtAt: null,
    attributes: {
      suite,
      component,
      kind: isUdeb ? 'udeb' : 'deb',
      section: control.get('Section'),
      priority: control.get('Priority'),
      source: source === name ? null : source,
      summary: control.get('Description')?.split('\n', 1)[0] ?? null,
      installed_bytes: installedSize(control),
      indexes: [architecture],
    },
    path,
    records: [{ part: 'stanza', bytes: stanza }],
  }
}

/** The one that is named, or the first. */
function chooseSuite({ options, suite }: UploadTerms<AptOptions>): string {
  const [first] = options.suites
  const chosen = suite ?? first
  if (chosen === undefined || !options.suites.includes(chosen)) throw unknown('suite', chosen, options.suites)
  return chosen
}

function chooseComponent({ options, component }: UploadTerms<AptOptions>): string {
  const chosen = component ?? options.components?.[0] ?? 'main'
  if (options.components && !options.components.includes(chosen))
    throw unknown('component', chosen, options.components)
  if (/\s/.test(chosen)) throw unknown('component', chosen, [])
  return parseRelativePath(chosen)
}

/** What no index would list is better refused. */
function refuseForeign({ options }: UploadTerms<AptOptions>, name: string, architecture: string): void {
  const { architectures } = options
  if (architecture === 'all' || !architectures || architectures.includes(architecture)) return
  throw new ChantalError(
    'USAGE_INVALID',
    `${name} is for ${architecture}, which the repository does not have`,
    {
      hint: `Its apt.architectures are: ${architectures.join(', ')}.`,
      details: { architecture, architectures },
    },
  )
}

function unknown(what: string, found: string | undefined, known: readonly string[]): ChantalError {
  return new ChantalError('USAGE_INVALID', `the repository has no ${what} ${JSON.stringify(found ?? '')}`, {
    ...(known.length > 0 && { hint: `It has: ${known.join(', ')}.` }),
  })
}

function required(control: Stanza, name: string): string {
  const value = control.get(name)
  if (value) return value
  throw new ChantalError('UPSTREAM_INVALID', `not a sound Debian package: its control file has no ${name}`, {
    hint: 'Whoever built this package did it wrongly; tell them.',
    details: { field: name },
  })
}

/** The field counts KiB. */
function installedSize(control: Stanza): number | null {
  const value = control.get('Installed-Size')
  const size = Number(value) * 1024
  return value !== null && /^\d+$/.test(value) && Number.isSafeInteger(size) ? size : null
}
