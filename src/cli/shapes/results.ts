import * as z from 'zod'
import { auditedPackage, foundPackage, packageDetails, packageFacts } from './content.ts'
import {
  databaseBackup,
  databaseCleanUp,
  databaseStatistics,
  databaseStatus,
  databaseUpgrade,
  databaseVacuum,
  databaseVerified,
} from './database.ts'
import { diagnosis } from './doctor.ts'
import { initialized } from './init.ts'
import { copyResult, removeResult, uploadResult } from './package.ts'
import {
  adoptedPool,
  checkedConfiguration,
  collected,
  leaseRow,
  missingBlob,
  orphanedBlob,
  poolStats,
  stats,
  verified,
} from './pool.ts'
import { publicationRow, publishResult, released, unpublished } from './publish.ts'
import { historyRow, repositoryDetails, repositoryRow, syncDocument } from './repository.ts'
import { deletedSnapshot, prunedSnapshots, snapshotRow, sourceDetails, sourceDiff } from './snapshot.ts'
import { exported, imported } from './transfer.ts'
import { errorFacts } from './values.ts'
import { viewDetails, viewRow } from './view.ts'

/**
 * What `--format json` prints, by command. Shapes only ever grow: programs rely on what is here.
 * `config show` and `config schema` are not among them: their documents are the configuration and its schema.
 */
export const resultShapes: Readonly<Record<string, z.ZodType>> = {
  'config check': checkedConfiguration,
  'repo list': z.array(repositoryRow),
  'repo show': repositoryDetails,
  'repo sync': syncDocument,
  'repo check-updates': syncDocument,
  'repo history': z.array(historyRow),
  'snapshot create': snapshotRow,
  'snapshot list': z.array(snapshotRow),
  'snapshot show': sourceDetails,
  'snapshot content': z.array(auditedPackage),
  'snapshot diff': sourceDiff,
  'snapshot copy': snapshotRow,
  'snapshot delete': deletedSnapshot,
  'snapshot prune': prunedSnapshots,
  'snapshot pin': snapshotRow,
  'snapshot unpin': snapshotRow,
  'publish repo': z.array(publishResult),
  'publish snapshot': z.array(publishResult),
  'publish view': z.array(publishResult),
  'publish list': z.array(publicationRow),
  'publish rollback': z.array(publishResult),
  'publish release': released,
  'publish unpublish': unpublished,
  'publish export': z.array(publishResult),
  'view list': z.array(viewRow),
  'view show': viewDetails,
  'view diff': sourceDiff,
  'content list': z.array(packageFacts),
  'content search': z.array(foundPackage),
  'content show': z.array(packageDetails),
  'package upload': uploadResult,
  'package remove': removeResult,
  'package copy': copyResult,
  'package move': copyResult,
  'pool stats': poolStats,
  'pool verify': verified,
  'pool gc': collected,
  'pool orphaned': z.array(orphanedBlob),
  'pool missing': z.array(missingBlob),
  'pool adopt': adoptedPool,
  'db export': exported,
  'db import': imported,
  'db stats': databaseStatistics,
  'db status': databaseStatus,
  'db upgrade': databaseUpgrade,
  'db vacuum': databaseVacuum,
  'db backup': databaseBackup,
  'db verify': databaseVerified,
  'db cleanup': databaseCleanUp,
  'lease list': z.array(leaseRow),
  stats,
  doctor: diagnosis,
  init: initialized,
}

/** What any command prints in place of its result where it fails. */
export const errorShape = z.strictObject({ error: errorFacts })
