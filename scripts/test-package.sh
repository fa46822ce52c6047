#!/usr/bin/env bash
# Packs the package, installs it into an empty project beside PGlite, and syncs SQLite with PGlite there.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
npm run --silent build
npx publint --strict
npm pack --silent --pack-destination "$work" >/dev/null
cd "$work"
printf '{"name":"empty","private":true,"type":"module"}\n' >package.json
pglite=$(node -p "require('$root/package.json').devDependencies['@electric-sql/pglite']")
npm install --silent --no-audit --no-fund ./morango-*.tgz "@electric-sql/pglite@$pglite"
cp "$root/scripts/package-smoke.ts" .
PATH="$root/node_modules/.bin:$PATH" node package-smoke.ts
PATH="$root/node_modules/.bin:$PATH" ./node_modules/.bin/morango --version
