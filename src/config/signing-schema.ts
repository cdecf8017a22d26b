import * as z from 'zod'

const path = z.string().min(1)

export const signingSchema = z
  .strictObject({
    key_file: path.describe('ASCII-armored private key that signs what is generated.'),
    passphrase: z.string().optional().describe('Passphrase of the key.'),
    passphrase_file: path.optional().describe('File that holds the passphrase.'),
  })
  .describe('The key that signs generated metadata.')

/** Of a repository or a view. */
export const ownSigning = z
  .union([signingSchema, z.literal(false)])
  .optional()
  .describe('The key that signs this one; false publishes it unsigned.')
