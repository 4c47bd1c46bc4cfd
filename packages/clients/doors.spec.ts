import { doors } from './doors';

describe('doors', () => {
  it('carry their packages inside, so that tests and old versions of Node can load them', () => {
    expect(doors.docker().Docker).toBeInstanceOf(Function);
    expect(doors.kubernetes().KubeConfig).toBeInstanceOf(Function);
    expect(doors.processes().execa).toBeInstanceOf(Function);
  });
});
