// Loaded before Nx by --require: writes how long each executor of Slipway takes, from the moment at which Nx begins to load it to its end, and
// how much of the processor, as a line of JSON in the file that SLIPWAY_OWN_TIME names.
const { appendFileSync } = require('node:fs');
const Module = require('node:module');

const load = Module._extensions['.js'];
Module._extensions['.js'] = (module, file) => {
  if (!/nx-slipway[\\/]dist[\\/]start[\\/]executors\.js$/.test(file)) return load(module, file);
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  load(module, file);
  const executors = { ...module.exports };
  for (const [name, executor] of Object.entries(executors)) {
    module.exports[name] = async (...args) => {
      try {
        return await executor(...args);
      } finally {
        const { user, system } = process.cpuUsage(before);
        const line = JSON.stringify({ name, ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 });
        appendFileSync(process.env.SLIPWAY_OWN_TIME, `${line}\n`);
      }
    };
  }
};
