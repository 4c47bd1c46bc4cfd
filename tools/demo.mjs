// `npm run demo`: the main job of Slipway on a real cluster. `--all`: an edit of each kind of service; `--turbo`: the same in a Turborepo.
const all = process.argv.includes('--all') || process.argv.includes('--turbo');
await import(all ? './demoServices.mjs' : './demoEdits.mjs');
