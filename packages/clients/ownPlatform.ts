/** The platform that images for this machine are made for: on all systems its containers run on Linux. */
export const ownPlatform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
