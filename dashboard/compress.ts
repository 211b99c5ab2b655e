// Beside each built file its compressed forms, so that the server compresses nothing while it serves.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const WORTH = /\.(js|css|html|svg|json)$/;

/** A Vite plugin that writes `x.br` and `x.gz` for every `x` that gets smaller by it. */
export function compress(): Plugin {
  let folder = 'dist';
  return {
    name: 'compress',
    apply: 'build',
    configResolved: (config) => void (folder = config.build.outDir),
    closeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (entry.isFile() && WORTH.test(entry.name)) both(join(entry.parentPath, entry.name));
      }
    },
  };
}

function both(file: string): void {
  const plain = readFileSync(file);
  const forms = { br: brotliCompressSync(plain), gz: gzipSync(plain, { level: 9 }) };
  for (const [end, bytes] of Object.entries(forms)) {
    if (bytes.length < plain.length) writeFileSync(`${file}.${end}`, bytes);
  }
}
