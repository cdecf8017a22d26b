import type { RelativePath } from '../../core/path.ts'
import type { PublicationSink } from '../../core/publication.ts'
import type { PublishInput, RenewInput, RevisionContent, ViewInput } from '../ecosystem.ts'
import type { RpmAttributes } from './attributes.ts'
import { publishGenerated, renewGenerated } from './generated-publisher.ts'
import { publishMirror } from './mirror-publisher.ts'
import type { RpmOptions } from './options.ts'

export type RpmPublishInput = PublishInput<RpmOptions, RpmAttributes>
export type RpmViewInput = ViewInput<RpmOptions, RpmAttributes>

/** One repository of those that a tree is generated from. */
export interface RpmMember extends RevisionContent<RpmOptions, RpmAttributes> {
  /** Where its packages stand in the tree; `null` where it is the only one, at the top. */
  readonly folder: RelativePath | null
}

/** A tree is wholly verbatim or wholly generated. */
export function publishRpm(input: RpmPublishInput, sink: PublicationSink): Promise<void> {
  return input.mode === 'mirror' ? publishMirror(input, sink) : publishGenerated(input, sink)
}

/** A verbatim tree states no time of ours. */
export async function renewRpm(input: RenewInput, sink: PublicationSink): Promise<void> {
  if (input.mode !== 'mirror') await renewGenerated(input, sink)
}
