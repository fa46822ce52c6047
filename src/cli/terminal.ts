import process from 'node:process'

/** What an output can show. */
export interface Terminal {
  /** Whether a line can be drawn anew. */
  readonly live: boolean
  readonly color: boolean
  /** Whether block characters can be shown. */
  readonly unicode: boolean
  /** In columns, as it is now. */
  width(): number
}

/** What the stream at hand can show, by itself and by what the environment says. */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: NodeJS.ProcessEnv = process.env,
): Terminal {
  const live = stream.isTTY === true && env['TERM'] !== 'dumb'
  const noColor = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  return {
    live,
    color: live && !noColor,
    unicode: /utf-?8/iu.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '') || 'WT_SESSION' in env,
    width: () => (stream.columns === undefined || stream.columns === 0 ? 80 : stream.columns),
  }
}
