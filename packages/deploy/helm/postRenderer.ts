import { readFileSync, writeSync } from 'node:fs';
import type { KubeObject } from '../../clients';
import { postRender } from './postRender';

/** What helm runs between making manifests and installing them: `node postRenderer.js OBJECTS.json`. */
const [, , file = ''] = process.argv;
const text = Buffer.from(postRender(readFileSync(0, 'utf8'), JSON.parse(readFileSync(file, 'utf8')) as readonly KubeObject[]));
for (let at = 0; at < text.length;) at += writeSync(1, text, at);
