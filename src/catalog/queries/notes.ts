import type { Json } from '../../core/brand.ts'
import type { NoteName } from '../catalog-reader.ts'
import type { Session } from '../engine.ts'

/** Beside what else stands in `meta`. */
const rowName = (name: NoteName) => `note ${name}`

export async function findNote({ db }: Session, name: NoteName): Promise<Json> {
  const row = await db.selectFrom('meta').select('value').where('name', '=', rowName(name)).executeTakeFirst()
  return row ? JSON.parse(row.value) : null
}

export async function saveNote({ db }: Session, name: NoteName, note: Json): Promise<void> {
  if (note === null) {
    await db.deleteFrom('meta').where('name', '=', rowName(name)).execute()
    return
  }
  const value = JSON.stringify(note)
  await db
    .insertInto('meta')
    .values({ name: rowName(name), value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}
