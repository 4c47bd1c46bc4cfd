import { consoleAside } from './consoleAside';

it('keeps what plugins print away from stdout, and gives the console back', async () => {
  const said = { out: [] as unknown[], aside: [] as unknown[] };
  const out = jest.spyOn(console, 'log').mockImplementation((text) => void said.out.push(text));
  const aside = jest.spyOn(console, 'error').mockImplementation((text) => void said.aside.push(text));
  try {
    const work = async () => {
      console.log('a plugin is here');
      await Promise.resolve();
      throw new Error('and it fails');
    };
    await expect(consoleAside(work)).rejects.toThrow('and it fails');
    console.log('the command says');
    expect(said).toEqual({ out: ['the command says'], aside: ['a plugin is here'] });
  } finally {
    out.mockRestore();
    aside.mockRestore();
  }
});
