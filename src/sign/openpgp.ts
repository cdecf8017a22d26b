export { readKeyFacts, readSigningKeyFacts } from './key-facts.ts'
export { generateSigningKey, openOpenPgpSigner, type SigningKeyPair } from './openpgp-signer.ts'
export { openOpenPgpVerifier } from './openpgp-verifier.ts'
export { openPackageVerifier, openSignatureFinder } from './package-verifier.ts'
