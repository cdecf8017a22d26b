export { generateSigningKey, openOpenPgpSigner, type SigningKeyPair } from './openpgp-signer.ts'
export { openOpenPgpVerifier, type TrustedKeys } from './openpgp-verifier.ts'
