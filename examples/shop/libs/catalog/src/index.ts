export interface Item {
  readonly name: string;
  readonly description: string;
}

/** What the shop sells. The prices are pricing's. */
export const catalog: readonly Item[] = [
  { name: 'rope', description: 'Thirty metres of hemp' },
  { name: 'anchor', description: 'Holds in sand and mud' },
  { name: 'lantern', description: 'Burns all night' },
];
