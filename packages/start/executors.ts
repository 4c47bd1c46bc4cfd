import { loadProgram } from './loadProgram';
import type * as Program from './program';

// What executors.json names.
export const build: typeof Program.build = (...args) => loadProgram('build').build(...args);
export const deploy: typeof Program.deploy = (...args) => loadProgram('deploy').deploy(...args);
export const dev: typeof Program.dev = (...args) => loadProgram('dev').dev(...args);
export const logs: typeof Program.logs = (...args) => loadProgram('logs').logs(...args);
export const remove: typeof Program.remove = (...args) => loadProgram('delete').remove(...args);
export const render: typeof Program.render = (...args) => loadProgram('render').render(...args);
export const sync: typeof Program.sync = (...args) => loadProgram('sync').sync(...args);
