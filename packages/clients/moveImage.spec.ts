import { newsFilter } from './moveImage';

describe('what an engine says while it moves an image', () => {
  it('is told, but of the seconds to its next try only the first number of each try', () => {
    const isNews = newsFilter();
    const said = [
      'Preparing',
      ...['Retrying in 5 seconds', 'Retrying in 5 seconds', 'Retrying in 4 seconds', 'Retrying in 5 seconds', 'Retrying in 1 second'],
      ...['Retrying in 10 seconds', 'Retrying in 10 seconds', 'Retrying in 9 seconds'],
      'Pushed',
    ];
    expect(said.filter(isNews)).toEqual(['Preparing', 'Retrying in 5 seconds', 'Retrying in 10 seconds', 'Pushed']);
  });
});
