/** All that peers say to each other (protocol §4), one file for each message. */
export * from './buffer-page.ts'
export * from './buffer-record.ts'
export * from './certificate-item.ts'
export * from './info.ts'
export * from './nonce.ts'
export * from './signing-request.ts'
export * from './sync-session.ts'
export * from './transfer-session.ts'
