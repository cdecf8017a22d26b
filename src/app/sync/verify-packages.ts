import { setImmediate as nextTurn } from 'node:timers/promises'
import type { RepositorySettings } from '../../config/settings.ts'
import type { BlobRef } from '../../core/bytes.ts'
import { enumerate } from '../../core/enumerate.ts'
import { ChantalError } from '../../core/errors.ts'
import type { WarningCode } from '../../core/events.ts'
import type { PackageKey, Revision, UpstreamFile, UpstreamPackage } from '../../core/model.ts'
import { describeVerdict, type PackageSignature, type PackageVerdict } from '../../core/package-signature.ts'
import type { SyncPlan } from '../../core/plan.ts'
import type { PackageSignatures } from '../../ecosystems/ecosystem.ts'
import type { PackageVerifier } from '../../sign/package-verifier.ts'
import { ecosystemOf } from '../configured.ts'
import type { AppContext } from '../context.ts'

/** Packages that are checked at once: of few is more read than the head, which does not wait. */
const checksAtOnce = 8
/** Packages after which signals and the renewal of leases have their turn. */
const checksPerTurn = 64

export interface VerifiedPackages {
  /** Of the packages that arrive. */
  readonly arriving: ReadonlyMap<PackageKey, PackageSignature>
  /** Of packages that the latest revision holds and keeps, where keys or rules have changed since they were checked. */
  readonly held: ReadonlyMap<PackageKey, PackageSignature>
}

interface Check {
  readonly key: PackageKey
  readonly name: string
  readonly blob: BlobRef
}

type Blobs = ReadonlyMap<UpstreamFile, BlobRef>
type Verdicts = Map<PackageKey, PackageSignature>

/** Checks the signatures in packages, some at a time, and says at the end what comes of it. */
export class PackageVerification {
  readonly #context: AppContext
  readonly #settings: RepositorySettings
  readonly #signatures: PackageSignatures
  readonly #verifier: PackageVerifier
  readonly #policy: string
  readonly #refused: { readonly name: string; readonly verdict: PackageVerdict }[] = []

  private constructor(
    context: AppContext,
    settings: RepositorySettings,
    signatures: PackageSignatures,
    verifier: PackageVerifier,
  ) {
    this.#context = context
    this.#settings = settings
    this.#signatures = signatures
    this.#verifier = verifier
    this.#policy = policyOf(verifier.policy, settings)
  }

  /** `null` where nobody checks them. */
  static async open(context: AppContext, settings: RepositorySettings): Promise<PackageVerification | null> {
    const verifier = await context.packageVerifierOf(settings)
    const { packageSignatures } = ecosystemOf(context, settings)
    if (!verifier || !packageSignatures) return null
    return new PackageVerification(context, settings, packageSignatures, verifier)
  }

  /** Every package that arrives, whether it was fetched or in the pool already; those without their file are passed over. */
  async checkArriving(
    packages: readonly Pick<UpstreamPackage, 'key' | 'files'>[],
    blobs: Blobs,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<PackageKey, PackageSignature>> {
    const checks = packages.flatMap(({ key, files: [file] }): Check[] => {
      const blob = blobs.get(file)
      return blob ? [{ key, name: file.path, blob }] : []
    })
    return this.#check(checks, signal)
  }

  /**
   * Of the packages that the latest revision holds and keeps, those that were last checked under other keys or rules. Those that were found
   * wanting under these are judged by that: what a warning let in may not be let in any more.
   */
  async checkHeld(
    latest: Revision,
    plan: Pick<SyncPlan, 'removed' | 'replaced'>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<PackageKey, PackageSignature>> {
    const checks: Check[] = []
    const leaving = new Set<PackageKey>([...plan.removed, ...plan.replaced.map(({ key }) => key)])
    await this.#context.catalog.read(async (reader) => {
      for await (const { key, files, signature } of reader.packages(latest, { notGoodUnder: this.#policy })) {
        if (leaving.has(key)) continue
        const [file] = files
        if (signature?.policy !== this.#policy) checks.push({ key, name: file.path, blob: file })
        else if (signature.verdict.state !== 'good')
          this.#refused.push({ name: file.path, verdict: signature.verdict })
      }
    })
    return this.#check(checks, signal)
  }

  /** @throws ChantalError `SIGNATURE_INVALID`, `SIGNATURE_MISSING` where `verify.packages` requires good ones, naming the packages */
  judge(): void {
    const { id, verify } = this.#settings
    if (verify.packages === 'off') return
    const refused = this.#refused.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const unsigned = refused.filter(({ verdict }) => verdict.state === 'unsigned')
    const invalid = refused.filter(({ verdict }) => verdict.state !== 'unsigned')
    if (verify.packages === 'require') refuse(unsigned, invalid)
    const warn = (code: WarningCode, found: typeof refused, what: string) => {
      if (found.length === 0) return
      const message = `${count(found.length)} ${what}: ${enumerateRefused(found)}`
      this.#context.reporter.report({ type: 'warning', code, message, repository: id })
    }
    warn('PACKAGE_UNSIGNED', unsigned, 'without a signature')
    warn('PACKAGE_SIGNATURE_INVALID', invalid, 'without a good signature')
  }

  async #check(checks: readonly Check[], signal: AbortSignal): Promise<Verdicts> {
    const verdicts: Verdicts = new Map()
    const mustCoverAll = vouchesAlone(this.#settings)
    const work = checks.entries()
    const run = async () => {
      for (const [index, { key, name, blob }] of work) {
        if (index % checksPerTurn === 0) await nextTurn()
        signal.throwIfAborted()
        const file = fileOf(this.#context, blob)
        const verdict = await this.#signatures.verify(file, this.#verifier, { mustCoverAll })
        verdicts.set(key, { verdict, policy: this.#policy })
        if (verdict.state !== 'good') this.#refused.push({ name, verdict })
      }
    }
    await Promise.all(Array.from({ length: checksAtOnce }, run))
    return verdicts
  }
}

/**
 * Checks all that arrives and all that is held, and judges.
 * @throws as {@link PackageVerification.judge}
 */
export async function verifyPackages(
  context: AppContext,
  input: {
    readonly settings: RepositorySettings
    readonly plan: SyncPlan
    readonly blobs: Blobs
    readonly latest: Revision | null
  },
  signal: AbortSignal,
): Promise<VerifiedPackages> {
  const { settings, plan, blobs, latest } = input
  const verification = await PackageVerification.open(context, settings)
  if (!verification) return { arriving: new Map(), held: new Map() }
  const arriving = await verification.checkArriving([...plan.added, ...plan.replaced], blobs, signal)
  const held = latest ? await verification.checkHeld(latest, plan, signal) : new Map()
  verification.judge()
  return { arriving, held }
}

/** What a verdict depends on: the keys and rules, and whether metadata vouches for what signatures leave open. */
function policyOf(policy: string, settings: RepositorySettings): string {
  return vouchesAlone(settings) ? `${policy}-whole` : policy
}

/** Whether no signed metadata vouches for packages beside their own signatures: what is uploaded comes without any. */
function vouchesAlone({ verify, mode }: RepositorySettings): boolean {
  return verify.metadata === 'off' || mode === 'hosted'
}

function fileOf({ pool }: AppContext, { digest, size }: BlobRef): Parameters<PackageSignatures['verify']>[0] {
  return {
    size,
    head: (maxBytes) => pool.readHead(digest, Math.min(maxBytes, size)),
    read: (start) => pool.read(digest, start === undefined ? undefined : { start, end: size }),
  }
}

type Refused = readonly { readonly name: string; readonly verdict: PackageVerdict }[]

function refuse(unsigned: Refused, invalid: Refused): void {
  const all = [...invalid, ...unsigned]
  const [first] = all
  if (!first) return
  const isInvalid = invalid.length > 0
  const what = isInvalid ? 'without a good signature' : 'without a signature'
  throw new ChantalError(
    isInvalid ? 'SIGNATURE_INVALID' : 'SIGNATURE_MISSING',
    `${count(all.length)} ${what}: ${enumerateRefused(all)}`,
    {
      hint: hintFor(first.verdict),
      details: {
        packages: all.map(({ name }) => name),
        reasons: all.map(({ name, verdict }) => `${name}: ${describeVerdict(verdict)}`),
      },
    },
  )
}

function hintFor(verdict: PackageVerdict): string {
  if (verdict.state === 'unknown-key') return 'If you trust that key, add it to verify.keys.'
  if (verdict.state === 'unsigned')
    return 'Ask upstream for signed packages, or set verify.packages to warn for this repository.'
  if (verdict.state === 'bad' && verdict.reason.includes('weak_digests'))
    return 'Ask upstream to sign them anew, or accept what can be forged: `verify.weak_digests: [sha1]`, or `md5`.'
  return 'Do not trust these packages; `verify.packages: warn` lets them in all the same.'
}

function enumerateRefused(found: Refused): string {
  return enumerate(found, ({ name, verdict }) => `${name} (${describeVerdict(verdict)})`)
}

function count(packages: number): string {
  return packages === 1 ? '1 package' : `${packages} packages`
}
